/** The sign bits of all vectors: which are about the nearest. As vec0 keeps them, so that they can be read in from its chunks. */

import type Sqlite from "better-sqlite3";
import { histogram_at, histogram_entries, question_at, rows_at } from "./compare.ts";
import { RamTable } from "./table.ts";

/** vec0 of sqlite-vec 0.1.9: rows in chunks, which of its places are taken as bits, their rowids as int64, their vectors one after the other. */
const chunks = `SELECT c.validity, c.rowids, v.vectors FROM nearest_chunks c JOIN nearest_vector_chunks00 v ON v.rowid = c.chunk_id`;
/** The driver's buffers are outside of the collector's heap, which does not see how many there are: 15 MB of them. */
const chunks_collected = 256;
type Chunk = [validity: Buffer, rowids: Buffer, vectors: Buffer];

export class Signs {
  readonly #table: RamTable;

  private constructor(table: RamTable) {
    this.#table = table;
  }

  /** Reads them in: a quarter of a second for a million. @returns null where comparing in RAM does not run */
  static read(db: Sqlite.Database, dimensions: number, count: number): Signs | null {
    const row_bytes = dimensions / 8;
    const table = dimensions < histogram_entries ? RamTable.of(row_bytes, count) : null;
    if (table === null) return null;
    let read = 0;
    for (const [validity, rowids, vectors] of db.prepare<[], Chunk>(chunks).raw().iterate()) {
      if (++read % chunks_collected === 0) Bun.gc(true);
      for (let at = 0; at * 8 < rowids.length; at += 1) {
        if (((validity[at >> 3] ?? 0) & (1 << (at & 7))) === 0) continue;
        table.add(Number(rowids.readBigInt64LE(at * 8)), vectors.subarray(at * row_bytes, (at + 1) * row_bytes));
      }
    }
    return new Signs(table);
  }

  get count(): number {
    return this.#table.count;
  }

  add(id: number, v: Uint8Array): void {
    this.#table.add(id, signsOf(v));
  }

  remove(id: number): void {
    this.#table.remove(id);
  }

  /** The `wanted` nearest, and those that are as near as the last of them; in no order. @param limit of those, too */
  nearest(v: Uint8Array, wanted: number, limit: number): number[] {
    const table = this.#table;
    table.ask(signsOf(v));
    table.clear(histogram_at, histogram_entries * 4);
    table.compare.differing(rows_at, table.count, table.width, question_at, table.out, histogram_at);
    const { within, nearer } = edgeOf(new Uint32Array(table.buffer, histogram_at, histogram_entries), wanted);
    const differing = new Uint16Array(table.buffer, table.out, table.count);
    const near: number[] = [];
    let at_edge = limit - nearer;
    for (let at = 0; at < differing.length; at += 1) {
      const bits = differing[at] ?? 0;
      if (bits > within || (bits === within && at_edge-- <= 0)) continue;
      near.push(table.idAt(at));
    }
    return near;
  }
}

/** Within how many bits the `wanted` nearest are, and how many of them are nearer than that. */
function edgeOf(histogram: Uint32Array, wanted: number): { readonly within: number; readonly nearer: number } {
  let nearer = 0;
  for (let within = 0; within < histogram.length; within += 1) {
    const here = histogram[within] ?? 0;
    if (nearer + here >= wanted) return { within, nearer };
    nearer += here;
  }
  return { within: histogram.length, nearer };
}

/** As vec_quantize_binary of sqlite-vec has it: a bit for each number above 0, the least of a byte first. */
export function signsOf(v: Uint8Array): Uint8Array {
  const signs = new Uint8Array(v.length / 8);
  for (let at = 0; at < v.length; at += 1) {
    const value = v[at] ?? 0;
    if (value > 0 && value < 128) signs[at >> 3] = (signs[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return signs;
}
