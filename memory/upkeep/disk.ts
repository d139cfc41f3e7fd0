/**
 * The room on memory's disk. A file of zeros is kept while there is plenty: it goes when the disk is full, so that moving
 * cold memories out, which itself needs a little room before it makes any, is possible then.
 */

import { existsSync, readdirSync, rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../wire/files.ts";
import { logBytes } from "../store/open.ts";
import { segmentsIn } from "./folders.ts";

/** Beyond what the write-ahead log may need when it goes into the file. */
const reserve_bytes_max = 4 * 1024 * 1024;
/** Of a small disk. */
const reserve_ratio = 1 / 12;
/** Short: less than this part is free, and less than this many bytes. */
const short_ratio = 0.1;
const short_bytes = 512 * 1024 * 1024;

export interface Space {
  readonly free_bytes: number;
  readonly size_bytes: number;
}

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

  get space(): Space {
    const { bavail, blocks, bsize } = statfsSync(this.#folder);
    return { free_bytes: bavail * bsize, size_bytes: blocks * bsize };
  }

  /** Bytes kept for when it is full; 0: none are. */
  get reserve_bytes(): number {
    return statSync(this.#reserve, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** What memory.db, its log and the segments take. */
  get own_bytes(): number {
    const files = [this.#folder, segmentsIn(this.#folder)].flatMap((folder) =>
      existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
    );
    const counted = files.filter((path) => /memory\.db(-wal)?$|\.seg$/.test(path));
    return counted.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);
  }

  /** @returns whether it is short */
  look(): boolean {
    const { free_bytes: free, size_bytes: size } = this.space;
    const reserve_bytes = this.#wanted_bytes(size);
    const short = free < Math.min(short_bytes, size * short_ratio);
    this.#shortage = short
      ? `the disk is short: ${mib(free)} of ${mib(size)} are free; memories older than a day are compressed, none is deleted; free or enlarge the data partition`
      : null;
    if (!short && !existsSync(this.#reserve) && free > 3 * reserve_bytes) this.#keep(reserve_bytes);
    return short;
  }

  /** Makes the reserve if `beside_bytes` are free with it. @returns whether that is so */
  reserve(beside_bytes: number): boolean {
    const { free_bytes, size_bytes } = this.space;
    const reserve_bytes = this.#wanted_bytes(size_bytes);
    const missing_bytes = Math.max(0, reserve_bytes - this.reserve_bytes);
    if (free_bytes < missing_bytes + beside_bytes) return false;
    if (missing_bytes > 0) this.#keep(reserve_bytes);
    return true;
  }

  release(): void {
    rmSync(this.#reserve, { force: true });
  }

  #wanted_bytes(size_bytes: number): number {
    return Math.floor(logBytes(this.#folder) + Math.min(reserve_bytes_max, size_bytes * reserve_ratio));
  }

  #keep(bytes: number): void {
    try {
      writeDurably(this.#reserve, Buffer.alloc(bytes), 0o600);
    } catch {
      this.release(); // it is there for a rainy day: without it everything works
    }
  }

  get #reserve(): string {
    return join(this.#folder, "reserve");
  }
}

export function mib(bytes: number): string {
  const value = bytes / 2 ** 20;
  return `${value.toFixed(value < 10 ? 1 : 0)} MiB`;
}
