/**
 * The room on memory's disk. A file of zeros is kept while there is plenty: it goes when the disk is full, so that moving
 * cold memories out, which itself needs a little room before it makes any, is possible then.
 */

import { existsSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../wire/files.ts";

const reserve_bytes = 4 * 1024 * 1024;
/** Short: less than this part is free, and less than this many bytes. */
const short_ratio = 0.1;
const short_bytes = 512 * 1024 * 1024;

export class Disk {
  readonly #folder: string;
  #shortage: string | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The sentence for health, or null. */
  get shortage(): string | null {
    return this.#shortage;
  }

  /** @returns whether it is short */
  look(): boolean {
    const { bavail, blocks, bsize } = statfsSync(this.#folder);
    const free = bavail * bsize;
    const short = free < Math.min(short_bytes, blocks * bsize * short_ratio);
    const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    this.#shortage = short
      ? `the disk is short: ${mib(free)} of ${mib(blocks * bsize)} are free; memories older than a day are compressed, none is deleted; free or enlarge the data partition`
      : null;
    if (short && free < reserve_bytes) this.release();
    else if (!short && !existsSync(this.#reserve) && free > 4 * reserve_bytes) this.#keep();
    return short;
  }

  release(): void {
    rmSync(this.#reserve, { force: true });
  }

  #keep(): void {
    try {
      writeDurably(this.#reserve, Buffer.alloc(reserve_bytes), 0o600);
    } catch {
      this.release(); // it is there for a rainy day: without it everything works
    }
  }

  get #reserve(): string {
    return join(this.#folder, "reserve");
  }
}
