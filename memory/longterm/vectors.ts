/**
 * Vectors of texts, and search among them. Each vector is kept twice: its sign bits in `nearest` (vec0 of sqlite-vec),
 * which are compared with all of them, and as int8 in `vectors`, by which the best of those are scored again.
 *
 * The comparing is done in a copy in RAM (in-ram/): 5 ms for a million. Where that does not run or fit, vec0 does it. It picks
 * the best k of each chunk one after the other, which takes longer than the comparing when k is large. So the distance
 * within which about `candidates` lie is read off a sample first (`nearest_sample`, every 64th text), and the whole is asked
 * only for what is nearer. Measured with a million: 40 ms, against 125 ms for k = 100 (docs/MEMORY.md).
 */

import type Sqlite from "better-sqlite3";
import { nativeFile } from "../../wire/native.ts";
import type { Where } from "./filter.ts";
import { InRam, type InRamLimits, in_ram_limits } from "./in-ram/in-ram.ts";
import { Statements } from "./statements.ts";

export interface Near {
  readonly text_id: number;
  readonly cosine: number;
}

/** Every so many texts are in the sample. */
const sample_every = 64;
/** Of one question to vec0 (its own limit). */
const candidates_max = 4096;
/** Scored again as int8: at least so many, and so many times the root of the number of all (recall@10 0.985 of a million). */
const candidates_min = 400;
const candidates_of_root = 0.6;
/**
 * Divided by the number of all it is how many are scored again of few: the fewer there are, the further away is the tenth, and
 * the less sign bits tell of it (of 10,000 generated vectors 700 have a recall of 0.94, 2,700 of 0.99).
 */
const candidates_of_few = 30_000_000;
/** Texts that a filter leaves are scored one by one up to so many. */
const exact_max = 20_000;

interface Embedding {
  readonly id: number;
  readonly model: string;
  readonly dimensions: number;
}

export class Vectors {
  readonly #db: Sqlite.Database;
  readonly #statements: Statements;
  /** Why vectors cannot be compared, or null. */
  readonly degradation: string | null;
  #embedding: Embedding | null = null;
  #count = 0;
  readonly #limits: InRamLimits;
  readonly #in_ram: InRam;
  /** Something was written since the last transaction that came to stay. */
  #changed = false;

  constructor(db: Sqlite.Database, limits: InRamLimits = in_ram_limits) {
    this.#db = db;
    this.#statements = new Statements(db);
    this.#limits = limits;
    this.#in_ram = new InRam(db, limits);
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
    this.#changed = true;
    const { lastInsertRowid } = this.#db.prepare("INSERT INTO embedders (model, dimensions) VALUES (?, ?)").run(model, dimensions);
    for (const table of ["nearest", "nearest_sample"]) {
      this.#db.exec(`DROP TABLE IF EXISTS ${table}; CREATE VIRTUAL TABLE ${table} USING vec0 (v bit[${dimensions}])`);
    }
    this.#embedding = { id: Number(lastInsertRowid), model, dimensions };
    this.#count = 0;
    this.#in_ram.drop();
  }

  /** The transaction came to stay. */
  committed(): void {
    this.#changed = false;
  }

  /** After a transaction that was rolled back, or a part of one. */
  rolledBack(): void {
    if (this.degradation !== null || !this.#changed) return;
    this.#in_ram.drop();
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
    this.#changed = true;
    const { changes } = this.#statements
      .of("UPDATE texts SET embedded_by = ? WHERE id = ? AND embedded_by < ?")
      .run(embedding.id, text_id, embedding.id);
    if (changes === 0) return;
    if (vector === null) {
      this.#statements.of("DELETE FROM vectors WHERE text_id = ?").run(text_id);
      return;
    }
    if (vector.length !== embedding.dimensions)
      throw new Error(`keeping a vector failed: it has ${vector.length} dimensions, those of "${embedding.model}" ${embedding.dimensions}`);
    const v = int8Of(vector);
    this.#statements
      .of("INSERT INTO vectors (text_id, v) VALUES (?, ?) ON CONFLICT (text_id) DO UPDATE SET v = excluded.v")
      .run(text_id, v);
    this.#addNearest("nearest", text_id, v);
    if (text_id % sample_every === 0) this.#addNearest("nearest_sample", text_id, v);
    this.#count += 1;
    this.#in_ram.add(text_id, v);
  }

  /** Inside a transaction: its text is about to go. @throws when vectors cannot be changed (`degradation`) */
  remove(text_id: number): void {
    this.#changed = true;
    this.#statements.of("DELETE FROM vectors WHERE text_id = ?").run(text_id);
    if (this.#embedding === null) return;
    this.#statements.of("DELETE FROM nearest_sample WHERE rowid = ?").run(BigInt(text_id));
    this.#count -= this.#statements.of("DELETE FROM nearest WHERE rowid = ?").run(BigInt(text_id)).changes;
    this.#in_ram.remove(text_id);
  }

  /** The nearest texts, best first. */
  nearest(query: Float32Array, limit: number): Near[] {
    if (this.#embedding === null || this.#count === 0 || query.length !== this.#embedding.dimensions) return [];
    const q = int8Of(query);
    const wholes = this.#in_ram.wholes(this.#count, q.length);
    if (wholes !== null) return wholes.nearest(q, limit);
    if (this.#count <= this.#limits.wholes_max) return this.#best("text_id IN (SELECT rowid FROM nearest_rowids)", limit, q, []);
    return this.#best("text_id IN (SELECT value FROM json_each(?))", limit, q, [JSON.stringify(this.#candidates(q))]);
  }

  /** The nearest of the texts of memories that a filter leaves: all of them when they are few, otherwise of the nearest. */
  nearestWhere(query: Float32Array, where: Where, limit: number): Near[] {
    if (!where.narrows) return this.nearest(query, limit);
    if (this.#embedding === null || this.#count === 0 || query.length !== this.#embedding.dimensions) return [];
    const q = int8Of(query);
    const left = this.#statements
      .of(`SELECT DISTINCT m.text_id FROM memories m WHERE ${where.by_index} ORDER BY m.time_ms DESC LIMIT ${exact_max + 1}`)
      .pluck()
      .all(...where.values);
    if (left.length <= exact_max) return this.#scored(left, q, limit);
    const near = this.#candidates(q);
    const held = this.#statements
      .of(
        `SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM memories m INDEXED BY memories_of_text WHERE m.text_id = value AND ${where.sql})`,
      )
      .pluck()
      .all(JSON.stringify(near), ...where.values);
    // too few of the nearest pass: the newest that pass are all looked at as well
    const all = held.length >= limit ? held : [...new Set([...held, ...left])];
    return this.#scored(all, q, limit);
  }

  /** How near these are; those without a vector are left out. Best first. */
  among(query: Float32Array, text_ids: readonly number[]): Near[] {
    if (this.#embedding === null || text_ids.length === 0 || query.length !== this.#embedding.dimensions) return [];
    return this.#scored(text_ids, int8Of(query), text_ids.length);
  }

  /** Text ids that are near by their sign bits. */
  #candidates(q: Buffer): unknown[] {
    const [few, many] = [candidates_of_few / this.#count, candidates_of_root * Math.sqrt(this.#count)];
    const wanted = Math.min(candidates_max, Math.ceil(Math.max(candidates_min, few, many)));
    const signs = this.#in_ram.signs(this.#count, q.length);
    if (signs !== null) return signs.nearest(q, wanted, candidates_max);
    const bits = "vec_quantize_binary(vec_int8(?))";
    // as many lie within the distance of this rank, give or take a third
    const rank = Math.ceil(wanted / sample_every);
    const sampled = this.#statements.of(`SELECT distance FROM nearest_sample WHERE v MATCH ${bits} AND k = ?`).pluck().all(q, rank);
    const within = Number(sampled.at(-1) ?? this.#embedding?.dimensions);
    return this.#statements
      .of(`SELECT rowid FROM nearest WHERE v MATCH ${bits} AND k = ? AND distance <= ?`)
      .pluck()
      .all(q, wanted, within);
  }

  /** Of these texts, those that have a vector by the present model. */
  #scored(text_ids: readonly unknown[], q: Buffer, limit: number): Near[] {
    const among = "text_id IN (SELECT value FROM json_each(?))";
    // looked up only while there are others: it takes as long as the vectors themselves
    const of = this.#others() ? `${among} AND text_id IN (SELECT rowid FROM nearest_rowids)` : among;
    return this.#best(of, limit, q, [JSON.stringify(text_ids)]);
  }

  /** There are vectors of an earlier model. */
  #others(): boolean {
    const other = this.#statements.of("SELECT 1 FROM texts WHERE embedded_by > 0 AND embedded_by < ? LIMIT 1");
    return other.get(this.#embedding?.id) !== undefined;
  }

  #best(of: string, limit: number, q: Buffer, values: readonly string[]): Near[] {
    const rows = this.#statements.of<Near>(
      `SELECT text_id, 1 - vec_distance_cosine(vec_int8(v), vec_int8(?)) AS cosine FROM vectors WHERE ${of} ORDER BY cosine DESC, text_id DESC LIMIT ?`,
    );
    return rows.all(q, ...values, limit);
  }

  #addNearest(table: "nearest" | "nearest_sample", text_id: number, v: Buffer): void {
    this.#statements.of(`INSERT INTO ${table} (rowid, v) VALUES (?, vec_quantize_binary(vec_int8(?)))`).run(BigInt(text_id), v);
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
