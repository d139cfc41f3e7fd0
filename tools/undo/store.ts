/**
 * The before-images of all calls, `<data>/broker/images/<call>/`, bounded by size and age.
 *
 * A call's folder belongs to it until the call has ended (`settle`, `discard`). From then on it may be given up: when it is
 * older than `age_ms_max`, or, oldest first, when another call needs room. What is given up is written into the audit before
 * it goes. What was renamed into a trash counts like what was copied; on other mounts it is emptied with the rest.
 *
 * The age is that of the folder on the wall clock; what is too old is a matter of its own (cutoff.ts), since clocks jump. Folders of
 * this boot are never too old: a machine that starts with a wrong clock would else throw away what it has just kept when the clock
 * is set.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { System } from "../../sys/system.ts";
import type { Clock } from "../context.ts";
import { ToolError } from "../tool.ts";
import { callImages, elsewhere_name } from "./call-images.ts";
import { Cutoff, type KeptCutoff } from "./cutoff.ts";
import type { CallImages } from "./images.ts";
import { removeTree, treeBytes } from "./walk.ts";

interface ImageLimits {
  /** Bytes of all images; left out: a tenth of the partition, 4 GiB at most. */
  readonly bytes_max?: number;
  /** Milliseconds that an image is kept; left out: 30 days. */
  readonly age_ms_max?: number;
}

export interface ImageStoreOptions {
  /** `<data>/broker/images` */
  readonly folder: string;
  readonly sys: Pick<System, "file" | "descriptor" | "mount">;
  readonly clock: Clock;
  /** 8 hexadecimal digits of the boot id. */
  readonly boot: string;
  readonly limits?: ImageLimits;
  readonly cutoff: KeptCutoff;
  /** Writes into the audit that this call cannot be taken back any more; durable when it is resolved. */
  onExpiry(call: string, why: string): Promise<void>;
  onProblem(what: string): void;
}

interface Folder {
  bytes: number;
  readonly made_ms: number;
}

const day_ms = 24 * 3600 * 1000;
const age_ms_default = 30 * day_ms;
const gibibyte = 1024 ** 3;
/** Bytes of the partition that images leave to everything else. */
const spare_bytes = 32 * 1024 * 1024;
const prune_interval_ms = 3600 * 1000;
const call_name = /^[0-9a-f]{8}-call-[0-9]{1,15}$/;

export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #cutoff: Cutoff;
  /** The oldest first. */
  readonly #folders = new Map<string, Folder>();
  /** Of all folders. */
  #used_bytes = 0;
  /** Calls that have not ended and use their images; the number of the next file of each. */
  readonly #open = new Map<string, { next: number | null }>();
  #measured: Promise<void> = Promise.resolve();
  #pruning: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | null = null;
  /** Why nothing can be kept, or null: then calls that need a before-image are refused. */
  degradation: string | null = null;

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#cutoff = new Cutoff(options.clock, options.limits?.age_ms_max ?? age_ms_default, options.cutoff);
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      this.degradation = `making "${options.folder}" failed: ${textOf(error)}; nothing can be kept for undo; check the data partition`;
    }
  }

  get used_bytes(): number {
    return this.#used_bytes;
  }

  get bytes_max(): number {
    const { limits, sys, folder } = this.#options;
    return limits?.bytes_max ?? Math.min(sys.mount.use(folder).size_bytes / 10, 4 * gibibyte);
  }

  /**
   * Finds what earlier starts have kept. Folders of calls that are not wanted (without an intent in the audit, or given up
   * already) are removed; those of unfinished calls stay open.
   */
  async start(wanted: (call: string) => boolean, unfinished: Iterable<string>): Promise<void> {
    if (this.degradation !== null) return;
    for (const call of unfinished) this.#open.set(call, { next: null });
    const unwanted: string[] = [];
    const found: (readonly [call: string, Folder])[] = [];
    this.#withStore((at) => {
      const { file } = this.#options.sys;
      for (const { name } of file.entries(at)) {
        const call = name.toString();
        if (!call_name.test(call)) continue;
        found.push([call, { bytes: 0, made_ms: Number(file.statusAt(at, name).mtime_ns / 1_000_000n) }]);
        if (!wanted(call) && !this.#open.has(call)) unwanted.push(call);
      }
    });
    for (const [call, folder] of found.sort(([, a], [, b]) => a.made_ms - b.made_ms)) this.#folders.set(call, folder);
    for (const call of unwanted) await this.#remove(call);
    this.#measured = this.#measureAll();
    this.#timer = setInterval(() => void this.prune(), prune_interval_ms).unref();
  }

  /** The images of a call that is made or taken back. Once it uses them, they stay until it is settled or discarded. */
  of(call: string): CallImages {
    if (!call_name.test(call)) throw new ToolError(`keeping the state before "${call}" failed: that is no name of a call`);
    const { sys, folder } = this.#options;
    return callImages({
      ...{ sys, folder, call },
      hold: () => {
        const known = this.#open.get(call) ?? { next: null };
        this.#open.set(call, known);
        return known;
      },
      reserve: (bytes) => this.#reserve(call, bytes),
      unreserve: (bytes) => this.#count(call, -bytes),
    });
  }

  /** The call has ended and can be taken back: its images are kept as long as the bounds allow. */
  async settle(call: string): Promise<void> {
    if (!this.#open.delete(call)) return;
    await this.#measure(call);
    await this.prune();
  }

  /** The call changed nothing, or was taken back: its images are not needed any more. */
  async discard(call: string): Promise<void> {
    if (this.#open.delete(call) || this.#folders.has(call)) await this.#remove(call);
  }

  /** Gives up what is too old, and the oldest when all together are too large. */
  prune(): Promise<void> {
    this.#pruning = this.#pruning
      .then(() => this.#prune(0))
      .catch((error: unknown) => this.#options.onProblem(`giving up old before-images failed: ${textOf(error)}`));
    return this.#pruning;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#measured;
    await this.#pruning;
  }

  /** @throws {ToolError} when there is no room and none can be made */
  async #reserve(call: string, bytes: number): Promise<void> {
    if (this.degradation !== null) throw new ToolError(this.degradation);
    this.#count(call, bytes);
    const short = (): string | null => {
      const { bytes_max, used_bytes } = this;
      if (used_bytes > bytes_max)
        return `before-images may take ${bytes_max} bytes, and those of calls that are not over take ${used_bytes - bytes} already`;
      const { available_bytes } = this.#options.sys.mount.use(this.#options.folder);
      return available_bytes - bytes < spare_bytes ? `the data partition has ${available_bytes} bytes left` : null;
    };
    if (short() === null) return;
    await this.#measured;
    this.#pruning = this.#pruning.then(() => this.#prune(bytes)).catch((error: unknown) => this.#options.onProblem(textOf(error)));
    await this.#pruning;
    const why = short();
    if (why === null) return;
    this.#count(call, -bytes);
    throw new ToolError(`keeping the state before "${call}" failed: it needs ${bytes} bytes, but ${why}; the call was not made`);
  }

  /** @param wanted_bytes that a call is about to write (and that are counted already) */
  async #prune(wanted_bytes: number): Promise<void> {
    await this.#measured;
    const { boot, sys, folder } = this.#options;
    const oldest_ms = this.#cutoff.move();
    let full: boolean | null = null;
    for (const [call, { made_ms }] of this.#folders) {
      if (this.#open.has(call)) continue;
      const is_old = made_ms < oldest_ms && !call.startsWith(`${boot}-`);
      if (!is_old) {
        full ??= sys.mount.use(folder).available_bytes - wanted_bytes < spare_bytes || this.used_bytes > this.bytes_max;
        if (!full || (wanted_bytes === 0 && call === this.#newestSettled())) continue;
      }
      await this.#options.onExpiry(call, is_old ? "too old" : "its room was needed");
      await this.#remove(call);
      full = null;
    }
  }

  #newestSettled(): string | undefined {
    return [...this.#folders.keys()].findLast((call) => !this.#open.has(call));
  }

  #count(call: string, bytes: number): void {
    this.#setBytes(call, Math.max(0, (this.#folders.get(call)?.bytes ?? 0) + bytes));
  }

  #setBytes(call: string, bytes: number): void {
    const known = this.#folders.get(call);
    this.#used_bytes += bytes - (known?.bytes ?? 0);
    if (known === undefined) this.#folders.set(call, { bytes, made_ms: this.#options.clock.now_ms() });
    else known.bytes = bytes;
  }

  #forget(call: string): void {
    this.#used_bytes -= this.#folders.get(call)?.bytes ?? 0;
    this.#folders.delete(call);
  }

  async #measureAll(): Promise<void> {
    for (const call of [...this.#folders.keys()]) await this.#measure(call);
  }

  async #measure(call: string): Promise<void> {
    const { sys, folder } = this.#options;
    try {
      let bytes = await treeBytes(sys, folder, call);
      for (const trash of this.#elsewhere(call)) bytes += await treeBytes(sys, dirname(trash), basename(trash));
      if (bytes === 0) this.#forget(call);
      else this.#setBytes(call, bytes);
    } catch (error) {
      this.#options.onProblem(`measuring what is kept of "${call}" failed: ${textOf(error)}`);
    }
  }

  /** What cannot be removed stays counted and is tried again at the next start. */
  async #remove(call: string): Promise<void> {
    const { sys, folder, onProblem } = this.#options;
    try {
      for (const trash of this.#elsewhere(call)) await removeTree(sys, dirname(trash), basename(trash));
      await removeTree(sys, folder, call);
      this.#forget(call);
    } catch (error) {
      onProblem(`removing what was kept of "${call}" failed: ${textOf(error)}; a part of it is left`);
    }
  }

  #elsewhere(call: string): string[] {
    try {
      const lines = readFileSync(join(this.#options.folder, call, elsewhere_name), "utf8").split("\n");
      return lines.filter((line) => line.startsWith("/") && basename(line) === call);
    } catch {
      return [];
    }
  }

  #withStore(use: (at: number) => void): void {
    const { sys, folder } = this.#options;
    const at = sys.file.open("cwd", folder, ["read", "directory", "nofollow"]);
    try {
      use(at);
    } finally {
      sys.descriptor.close(at);
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
