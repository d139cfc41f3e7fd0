/** Rows of one width in a memory of WebAssembly's, in no order, each by the id of its text. */

import { type Compare, compareIn, page_bytes, question_at, rows_at, step_bytes, width_max } from "./compare.ts";

/** At the end of the rows, for the figure of each (compare.ts). */
const figure_bytes = 4;
const rows_min = 1024;
const growth = 1.125;

export class RamTable {
  readonly compare: Compare;
  /** Of a row, padded. */
  readonly width: number;
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array;
  #ids = new Uint32Array(0);
  #count = 0;

  private constructor(memory: WebAssembly.Memory, compare: Compare, width: number, rows: number) {
    this.compare = compare;
    this.width = width;
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#makeRoom(rows);
  }

  /** @param rows that there is room for; each time that more is made takes a copy @returns null where comparing in RAM does not run */
  static of(row_bytes: number, rows: number): RamTable | null {
    const width = Math.ceil(row_bytes / step_bytes) * step_bytes;
    if (width > width_max) return null;
    const memory = new WebAssembly.Memory({ initial: 1 });
    const compare = compareIn(memory);
    return compare === null ? null : new RamTable(memory, compare, width, Math.ceil(rows * growth) + rows_min);
  }

  /** What so many rows take. */
  static bytesOf(count: number, row_bytes: number): number {
    return growth * count * (row_bytes + 2 * figure_bytes);
  }

  get count(): number {
    return this.#count;
  }

  /** Where figures of the rows go: there is room for four bytes each. */
  get out(): number {
    return rows_at + this.#ids.length * this.width;
  }

  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  idAt(place: number): number {
    return this.#ids[place] ?? 0;
  }

  add(id: number, row: Uint8Array): void {
    if (this.#count === this.#ids.length) this.#makeRoom(Math.ceil(this.#count * growth));
    this.#write(rows_at + this.#count * this.width, row);
    this.#ids[this.#count++] = id;
  }

  /** The last row takes its place. @returns the place, or null when there is none */
  remove(id: number): number | null {
    const place = this.#ids.subarray(0, this.#count).indexOf(id);
    if (place < 0) return null;
    this.#count -= 1;
    const last = rows_at + this.#count * this.width;
    this.#bytes.copyWithin(rows_at + place * this.width, last, last + this.width);
    this.#ids[place] = this.#ids[this.#count] ?? 0;
    return place;
  }

  /** Puts the question where it is compared from. */
  ask(row: Uint8Array): void {
    this.#write(question_at, row);
  }

  clear(at: number, length: number): void {
    this.#bytes.fill(0, at, at + length);
  }

  /** Padded with zeros, which differ in nothing and add nothing. */
  #write(at: number, row: Uint8Array): void {
    this.#bytes.set(row, at);
    this.#bytes.fill(0, at + row.length, at + this.width);
  }

  #makeRoom(rows: number): void {
    const needed = rows_at + rows * (this.width + figure_bytes);
    const missing = needed - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / page_bytes));
    this.#bytes = new Uint8Array(this.#memory.buffer);
    const ids = new Uint32Array(rows);
    ids.set(this.#ids.subarray(0, this.#count));
    this.#ids = ids;
  }
}
