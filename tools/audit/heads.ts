/**
 * Where the chain's head is told besides the database, so that entries that are cut off its end are missed: a file beside
 * it, and the kernel's log, which leaves the machine by the serial line or netconsole where somebody listens.
 * Both lag by at most `entries_max` entries or `wait_ms`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { writeDurably } from "../../wire/files.ts";
import { genesis, type Head } from "./chain.ts";

const entries_max = 64;
const wait_ms = 10_000;
/** Documentation/ABI/testing/dev-kmsg: facility "user", level "info". */
const kmsg_prefix = "<14>aios-audit:";

interface HeadsOptions {
  /** `<data>/broker/audit.head`, or null when nothing there can be written. */
  readonly file: string | null;
  /** `/dev/kmsg`, or null. */
  readonly kmsg: string | null;
  /** Before a head is told, all that it stands for is on the disk: else a power cut would look like entries cut off. */
  readonly makeDurable: () => void;
  readonly onFailed: (what: string) => void;
}

export class Heads {
  readonly #options: HeadsOptions;
  #told: Head = genesis;
  #newest: Head = genesis;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: HeadsOptions) {
    this.#options = options;
  }

  changed(head: Head): void {
    this.#newest = head;
    if (head.seq - this.#told.seq >= entries_max) this.tell();
    else this.#timer ??= setTimeout(() => this.tell(), wait_ms).unref();
  }

  /** Tells the newest head now. */
  tell(head: Head = this.#newest): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#newest = head;
    this.#told = head;
    const { file, kmsg, makeDurable, onFailed } = this.#options;
    if (!attempt("writing the audit to the disk", onFailed, makeDurable)) return;
    if (file !== null) attempt(`writing "${file}"`, onFailed, () => writeDurably(file, `${head.seq} ${head.hash}\n`, 0o600));
    if (kmsg !== null)
      attempt(`writing to "${kmsg}"`, onFailed, () => writeFileSync(kmsg, `${kmsg_prefix} seq=${head.seq} head=${head.hash}\n`));
  }

  close(): void {
    if (this.#newest.hash !== this.#told.hash) this.tell();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

/** @returns the head that the file names; null when there is no such file, or nothing that can be read in it */
export function readHead(file: string): Head | null {
  try {
    const match = /^([0-9]{1,15}) ([0-9a-f]{64})\n$/.exec(readFileSync(file, "utf8"));
    return match === null ? null : { seq: Number(match[1]), hash: match[2] ?? "" };
  } catch {
    return null;
  }
}

function attempt(what: string, onFailed: HeadsOptions["onFailed"], work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    onFailed(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
