/**
 * Vectors of texts, and search among them. Each vector is kept twice: its sign bits in `nearest` (vec0 of sqlite-vec),
 * which are compared with all of them, and as int8 in `vectors`, by which the best of those are scored again.
 *
 * vec0 picks the best k of each chunk one after the other, which takes longer than the comparing when k is large. So the
 * distance within which about `candidates` lie is read off a sample first (`nearest_sample`, every 64th text), and the whole
 * is asked only for what is nearer. Measured with a million: 40 ms, against 125 ms for k = 100 (docs/MEMORY.md).
 */

import type Sqlite from "better-sqlite3";
import { nativeFile } from "../../wire/native.ts";
import type { Where } from "./filter.ts";

export interface Near {
  readonly text_id: number;
  readonly cosine: number;
}

/** Every so many texts are in the sample. */
const sample_every = 64;
/** Scored again as int8. Larger finds more and takes longer: recall@10 0.985 with 600 of a million. */
const candidates_max = 600;
/** Rank in the sample of the distance that is asked for: `rank * sample_every` lie within it, give or take a third. */
const sample_rank = 10;
/** Up to so many vectors are all ranked without a sample: it would be too small to say anything. */
const without_sample_max = 32_768;
/** Texts that a filter leaves are scored one by one up to so many. */
export const exact_max = 20_000;

interface Embedding {
  readonly id: number;
  readonly model: string;
  readonly dimensions: number;
}

export class Vectors {
  readonly #db: Sqlite.Database;
  /** Why vectors cannot be compared, or null. */
  readonly degradation: string | null;
  #embedding: Embedding | null = null;
  #count = 0;

  readonly #without_sample_max: number;

  constructor(db: Sqlite.Database, all_ranked_max = without_sample_max) {
    this.#db = db;
    this.#without_sample_max = all_ranked_max;
    this.degradation = loadExtension(db);
    if (this.degradation === null) this.#embedding = newestEmbedding(db);
    if (this.#embedding !== null) this.#count = countIn(db);
  }

  /** What made the vectors that are searched, or null. */
  get model(): string | null {
    return this.#embedding?.model ?? null;
  }

  get count(): number {
    return this.#count;
  }

  isBy(model: string, dimensions: number): boolean {
    return this.#embedding?.model === model && this.#embedding.dimensions === dimensions;
  }

  /** From now on vectors are by this model; those by another one are made again. Inside a transaction. */
  begin(model: string, dimensions: number): void {
    if (this.degradation !== null) return;
    if (this.isBy(model, dimensions)) return;
    const { lastInsertRowid } = this.#db.prepare("INSERT INTO embedders (model, dimensions) VALUES (?, ?)").run(model, dimensions);
    for (const table of ["nearest", "nearest_sample"]) {
      this.#db.exec(`DROP TABLE IF EXISTS ${table}; CREATE VIRTUAL TABLE ${table} USING vec0 (v bit[${dimensions}])`);
    }
    this.#embedding = { id: Number(lastInsertRowid), model, dimensions };
    this.#count = 0;
  }

  /** After a transaction that was rolled back. */
  rolledBack(): void {
    if (this.degradation !== null) return;
    this.#embedding = newestEmbedding(this.#db);
    this.#count = this.#embedding === null ? 0 : countIn(this.#db);
  }

  /** Texts whose vector is still to be made by the present model, newest first. */
  waiting(limit: number): { id: number; text: string | null }[] {
    if (this.#embedding === null) return [];
    const rows = this.#db.prepare<[number, number], { id: number; text: string | null }>(
      "SELECT id, text FROM texts WHERE embedded_by < ? ORDER BY embedded_by DESC, id DESC LIMIT ?",
    );
    return rows.all(this.#embedding.id, limit);
  }

  waitingCount(): number {
    if (this.#embedding === null) return 0;
    return countOf(this.#db, "SELECT count(*) AS n FROM texts WHERE embedded_by < ?", this.#embedding.id);
  }

  /** Inside a transaction. @param vector null: this text cannot be embedded, and is not asked for again */
  put(text_id: number, vector: Float32Array | null): void {
    const embedding = this.#embedding;
    if (embedding === null) throw new Error("keeping a vector failed: no model was begun");
    const { changes } = this.#prepared("UPDATE texts SET embedded_by = ? WHERE id = ? AND embedded_by < ?").run(
      embedding.id,
      text_id,
      embedding.id,
    );
    if (changes === 0) return;
    if (vector === null) {
      this.#prepared("DELETE FROM vectors WHERE text_id = ?").run(text_id);
      return;
    }
    if (vector.length !== embedding.dimensions)
      throw new Error(`keeping a vector failed: it has ${vector.length} dimensions, those of "${embedding.model}" ${embedding.dimensions}`);
    const v = int8Of(vector);
    this.#prepared("INSERT INTO vectors (text_id, v) VALUES (?, ?) ON CONFLICT (text_id) DO UPDATE SET v = excluded.v").run(text_id, v);
    this.#addNearest("nearest", text_id, v);
    if (text_id % sample_every === 0) this.#addNearest("nearest_sample", text_id, v);
    this.#count += 1;
  }

  /** The nearest texts, best first. */
  nearest(query: Float32Array, limit: number): Near[] {
    if (this.#embedding === null || this.#count === 0 || query.length !== this.#embedding.dimensions) return [];
    const q = int8Of(query);
    return this.#scored(JSON.stringify(this.#candidates(q)), q, limit);
  }

  /** The nearest of the texts of memories that a filter leaves: all of them when they are few, otherwise of the nearest. */
  nearestWhere(query: Float32Array, where: Where, limit: number): Near[] {
    if (!where.narrows) return this.nearest(query, limit);
    if (this.#embedding === null || this.#count === 0 || query.length !== this.#embedding.dimensions) return [];
    const q = int8Of(query);
    const left = this.#prepared(
      `SELECT DISTINCT m.text_id FROM memories m WHERE ${where.sql} ORDER BY m.text_id DESC LIMIT ${exact_max + 1}`,
    )
      .pluck()
      .all(...where.values);
    if (left.length <= exact_max) return this.#scored(JSON.stringify(left), q, limit);
    const near = this.#candidates(q);
    const held = this.#prepared(
      `SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM memories m INDEXED BY memories_of_text WHERE m.text_id = value AND ${where.sql})`,
    )
      .pluck()
      .all(JSON.stringify(near), ...where.values);
    // too few of the nearest pass: the newest that pass are all looked at as well
    const all = held.length >= limit ? held : [...new Set([...held, ...left])];
    return this.#scored(JSON.stringify(all), q, limit);
  }

  /** How near these are; those without a vector are left out. Best first. */
  among(query: Float32Array, text_ids: readonly number[]): Near[] {
    if (this.#embedding === null || text_ids.length === 0 || query.length !== this.#embedding.dimensions) return [];
    return this.#scored(JSON.stringify(text_ids), int8Of(query), text_ids.length);
  }

  /** Text ids that are near by their sign bits. */
  #candidates(q: Buffer): unknown[] {
    const bits = "vec_quantize_binary(vec_int8(?))";
    if (this.#count <= this.#without_sample_max) {
      const k = Math.min(candidates_max, Math.max(100, Math.ceil(2_000_000 / this.#count)));
      return this.#prepared(`SELECT rowid FROM nearest WHERE v MATCH ${bits} AND k = ?`).pluck().all(q, k);
    }
    const sampled = this.#prepared(`SELECT distance FROM nearest_sample WHERE v MATCH ${bits} AND k = ${sample_rank}`).pluck().all(q);
    const within = Number(sampled.at(-1) ?? this.#embedding?.dimensions);
    const near = this.#prepared(`SELECT rowid FROM nearest WHERE v MATCH ${bits} AND k = ${candidates_max} AND distance <= ?`);
    return near.pluck().all(q, within);
  }

  #scored(ids: string, q: Buffer, limit: number): Near[] {
    const rows = this.#db.prepare<[Buffer, string, number], Near>(
      `SELECT text_id, 1 - vec_distance_cosine(vec_int8(v), vec_int8(?)) AS cosine FROM vectors
       WHERE text_id IN (SELECT value FROM json_each(?)) ORDER BY cosine DESC, text_id DESC LIMIT ?`,
    );
    return rows.all(q, ids, limit);
  }

  #addNearest(table: "nearest" | "nearest_sample", text_id: number, v: Buffer): void {
    this.#prepared(`INSERT INTO ${table} (rowid, v) VALUES (?, vec_quantize_binary(vec_int8(?)))`).run(BigInt(text_id), v);
  }

  readonly #statements = new Map<string, Sqlite.Statement<unknown[]>>();

  #prepared(sql: string): Sqlite.Statement<unknown[]> {
    const held = this.#statements.get(sql);
    if (held !== undefined) return held;
    if (this.#statements.size >= 64) this.#statements.clear();
    const made = this.#db.prepare<unknown[]>(sql);
    this.#statements.set(sql, made);
    return made;
  }
}

/** @returns why it does not load, or null */
function loadExtension(db: Sqlite.Database): string | null {
  try {
    db.loadExtension(nativeFile(`sqlite-vec-linux-${process.arch}`, "vec0.so"));
    return null;
  } catch (error) {
    return `loading sqlite-vec failed: ${error instanceof Error ? error.message : String(error)}; memory is searched by word alone`;
  }
}

function newestEmbedding(db: Sqlite.Database): Embedding | null {
  return db.prepare<[], Embedding>("SELECT id, model, dimensions FROM embedders ORDER BY id DESC LIMIT 1").get() ?? null;
}

function countIn(db: Sqlite.Database): number {
  return countOf(db, "SELECT count(*) AS n FROM nearest_rowids");
}

function countOf(db: Sqlite.Database, sql: string, ...values: number[]): number {
  return db.prepare<number[], { n: number }>(sql).get(...values)?.n ?? 0;
}

/** Scaled to its largest component: most of a unit vector's are far below 1, and would share a few steps. */
export function int8Of(vector: Float32Array): Buffer {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  const scale = largest === 0 ? 0 : 127 / largest;
  const bytes = new Int8Array(vector.length);
  for (let at = 0; at < vector.length; at += 1) bytes[at] = Math.round((vector[at] ?? 0) * scale);
  return Buffer.from(bytes.buffer);
}
