/** Reads one segment file: one memory, one block, or all of it. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { sha256Of } from "../backup/files.ts";
import {
  decodeTrailer,
  hashOf,
  header,
  index_entry_bytes,
  type Place,
  place_bytes,
  type Trailer,
  trailer_bytes,
  unpack,
} from "./format.ts";

export class SegmentReader {
  readonly #file: number;
  readonly #index: Buffer;
  readonly #places: readonly Place[];
  readonly trailer: Trailer;

  /** @throws when it cannot be read, or is not a whole segment of this version */
  constructor(path: string) {
    this.#file = openSync(path, "r");
    try {
      const size = fstatSync(this.#file).size;
      if (size < header.length + trailer_bytes || !this.#read(0, header.length).equals(header))
        throw new Error("it is no segment that this version can read");
      this.trailer = decodeTrailer(this.#read(size - trailer_bytes, trailer_bytes));
      const { memories, blocks, index_at, places_at } = this.trailer;
      if (places_at !== index_at + memories * index_entry_bytes || places_at + blocks * place_bytes + trailer_bytes !== size)
        throw new Error("its tables are not where its end says");
      this.#index = this.#read(index_at, memories * index_entry_bytes);
      this.#places = placesOf(this.#read(places_at, blocks * place_bytes));
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  get blocks(): number {
    return this.#places.length;
  }

  /** The place in the segment, from 0, of the first memory of a block. */
  firstOf(number: number): number {
    return this.#places.slice(0, number).reduce((sum, { lines }) => sum + lines, 0);
  }

  /** The blocks that may hold it: nearly always one, or none. */
  blocksOf(id: string): number[] {
    const wanted = hashOf(id);
    let low = 0;
    let high = this.trailer.memories;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#index.readUInt32LE(middle * index_entry_bytes) < wanted) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (let n = low; n < this.trailer.memories; n += 1) {
      if (this.#index.readUInt32LE(n * index_entry_bytes) !== wanted) break;
      found.push(this.#index.readUInt32LE(n * index_entry_bytes + 4));
    }
    return found;
  }

  /** The lines of a block. @throws when it is damaged */
  block(number: number): string[] {
    const place = this.#places[number];
    if (place === undefined) throw new Error(`it has no block ${number}`);
    const lines = unpack(this.#read(place.at, place.bytes));
    if (lines.length !== place.lines) throw new Error(`block ${number} has ${lines.length} lines, and ${place.lines} were written`);
    return lines;
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(at: number, bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(bytes);
    const read = readSync(this.#file, buffer, 0, bytes, at);
    if (read < bytes) throw new Error(`it ends ${bytes - read} bytes too early`);
    return buffer;
  }
}

function placesOf(table: Buffer): Place[] {
  return Array.from({ length: table.length / place_bytes }, (_, n) => ({
    at: Number(table.readBigUInt64LE(n * place_bytes)),
    bytes: table.readUInt32LE(n * place_bytes + 8),
    lines: table.readUInt32LE(n * place_bytes + 12),
  }));
}

/** Hands over every line, in the order of writing. @returns the SHA-256 of the file. @throws when anything is damaged */
export function readThrough(path: string, onLine: (line: string) => void): string {
  const reader = new SegmentReader(path);
  try {
    for (let number = 0; number < reader.blocks; number += 1) reader.block(number).forEach(onLine);
  } finally {
    reader.close();
  }
  return sha256Of(path);
}
