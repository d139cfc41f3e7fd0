/** Writes a segment file: under another name until it is whole, flushed and read back. */

import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Recalled } from "../../../contracts/memory/record.ts";
import { syncFolder } from "../../../wire/files.ts";
import { unfinished } from "../folders.ts";
import { block_plain_bytes, encodeTrailer, hashOf, header, index_entry_bytes, pack, place_bytes } from "./format.ts";
import { readThrough } from "./reader.ts";

export interface Written {
  readonly memories: number;
  readonly bytes: number;
  /** Of the memories as JSON. */
  readonly plain_bytes: number;
  readonly sha256: string;
}

/**
 * @param onWhole called when it is whole and has yet to get its name: what it throws is thrown
 * @throws when it cannot be written, or what is read back is not what was written; no file is left then
 */
export function writeSegment(path: string, memories: Iterable<Recalled>, onWhole: () => void = () => {}): Written {
  const fresh = `${path}${unfinished}`;
  rmSync(fresh, { force: true });
  try {
    const writer = new SegmentWriter(fresh);
    const meant = createHash("sha256");
    for (const memory of memories) {
      const line = JSON.stringify(Object.assign({ id: memory.id }, memory));
      meant.update(line);
      writer.add(memory.id, line);
    }
    const written = writer.finish();
    const read = createHash("sha256");
    const sha256 = readThrough(fresh, (line) => void read.update(line));
    if (sha256 !== written.sha256 || read.digest("hex") !== meant.digest("hex"))
      throw new Error(`"${basename(fresh)}" reads back as something else: check the disk`);
    onWhole();
    renameSync(fresh, path);
    syncFolder(dirname(path));
    return written;
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

export class SegmentWriter {
  readonly #file: number;
  readonly #hash = createHash("sha256");
  readonly #entries: { hash: number; block: number }[] = [];
  readonly #places: { at: number; bytes: number; lines: number }[] = [];
  #lines: string[] = [];
  #held_bytes = 0;
  #plain_bytes = 0;
  #at = 0;

  static replacing(path: string): SegmentWriter {
    rmSync(path, { force: true });
    return new SegmentWriter(path);
  }

  constructor(path: string) {
    this.#file = openSync(path, "wx", 0o600);
    this.#write(header);
  }

  /** @param line the memory as JSON, its id first: that is how it is found */
  add(id: string, line: string): void {
    if (this.#held_bytes + line.length > block_plain_bytes) this.#endBlock();
    this.#entries.push({ hash: hashOf(id), block: this.#places.length });
    this.#lines.push(line);
    const bytes = Buffer.byteLength(line) + 1;
    this.#held_bytes += bytes;
    this.#plain_bytes += bytes;
  }

  finish(): Written {
    this.#endBlock();
    const index_at = this.#at;
    this.#write(this.#index());
    const places_at = this.#at;
    this.#write(this.#placesTable());
    const sha256 = this.#hash.copy().digest();
    const counts = { memories: this.#entries.length, blocks: this.#places.length };
    this.#write(encodeTrailer({ ...counts, index_at, places_at, sha256 }));
    fsyncSync(this.#file);
    closeSync(this.#file);
    return { memories: counts.memories, bytes: this.#at, plain_bytes: this.#plain_bytes, sha256: this.#hash.digest("hex") };
  }

  #endBlock(): void {
    if (this.#lines.length === 0) return;
    const block = pack(this.#lines);
    this.#places.push({ at: this.#at, bytes: block.length, lines: this.#lines.length });
    this.#write(block);
    this.#lines = [];
    this.#held_bytes = 0;
  }

  #index(): Buffer {
    const index = Buffer.alloc(this.#entries.length * index_entry_bytes);
    this.#entries.sort((a, b) => a.hash - b.hash);
    for (const [n, { hash, block }] of this.#entries.entries()) {
      index.writeUInt32LE(hash, n * index_entry_bytes);
      index.writeUInt32LE(block, n * index_entry_bytes + 4);
    }
    return index;
  }

  #placesTable(): Buffer {
    const table = Buffer.alloc(this.#places.length * place_bytes);
    for (const [n, { at, bytes, lines }] of this.#places.entries()) {
      table.writeBigUInt64LE(BigInt(at), n * place_bytes);
      table.writeUInt32LE(bytes, n * place_bytes + 8);
      table.writeUInt32LE(lines, n * place_bytes + 12);
    }
    return table;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#hash.update(bytes);
    this.#at += bytes.length;
  }
}
