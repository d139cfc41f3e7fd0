/** All vectors, while they are few: all of them are compared as int8, exactly. */

import type Sqlite from "better-sqlite3";
import type { Near } from "../vectors.ts";
import { question_at, rows_at } from "./compare.ts";
import { RamTable } from "./table.ts";

export class Wholes {
  readonly #table: RamTable;
  /** One over the length of each, in the order of the table; 0: it has none. */
  readonly #scales: number[] = [];

  private constructor(table: RamTable) {
    this.#table = table;
  }

  /** @returns null where comparing in RAM does not run */
  static read(db: Sqlite.Database, dimensions: number, count: number): Wholes | null {
    const table = RamTable.of(dimensions, count);
    if (table === null) return null;
    const wholes = new Wholes(table);
    const rows = db.prepare<[], [id: number, v: Buffer]>(
      "SELECT text_id, v FROM vectors WHERE text_id IN (SELECT rowid FROM nearest_rowids)",
    );
    for (const [id, v] of rows.raw().iterate()) wholes.add(id, v);
    return wholes;
  }

  get count(): number {
    return this.#table.count;
  }

  add(id: number, v: Uint8Array): void {
    this.#table.add(id, v);
    this.#scales.push(scaleOf(v));
  }

  remove(id: number): void {
    const place = this.#table.remove(id);
    if (place === null) return;
    const last = this.#scales.pop();
    if (last !== undefined && place < this.#scales.length) this.#scales[place] = last;
  }

  /** Best first, the newest first of those that are as near. */
  nearest(v: Uint8Array, limit: number): Near[] {
    const table = this.#table;
    table.ask(v);
    table.compare.products(rows_at, table.count, table.width, question_at, table.out);
    const products = new Int32Array(table.buffer, table.out, table.count);
    const scale = scaleOf(v);
    const best: Near[] = [];
    let least = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < products.length; at += 1) {
      const cosine = (products[at] ?? 0) * scale * (this.#scales[at] ?? 0);
      if (cosine < least) continue;
      insert(best, { text_id: table.idAt(at), cosine });
      if (best.length > limit) best.pop();
      if (best.length === limit) least = best[limit - 1]?.cosine ?? least;
    }
    return best;
  }
}

/** Where it belongs: few are kept of many. */
function insert(best: Near[], one: Near): void {
  let at = best.length;
  for (; at > 0; at -= 1) {
    const other = best[at - 1];
    if (other === undefined || other.cosine > one.cosine || (other.cosine === one.cosine && other.text_id > one.text_id)) break;
  }
  best.splice(at, 0, one);
}

function scaleOf(v: Uint8Array): number {
  const signed = new Int8Array(v.buffer, v.byteOffset, v.length);
  let sum = 0;
  for (const value of signed) sum += value * value;
  return sum === 0 ? 0 : 1 / Math.sqrt(sum);
}
