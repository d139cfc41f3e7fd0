/** What was deleted: when, by which rule, how many and which in the order of writing. Their contents are gone. */

import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type Sqlite from "better-sqlite3";
import { DeletedRuns, Tombstone } from "../../contracts/memory/retention.ts";

/** Tables whose `seq` has no gaps but those that tombstones tell of. */
export const numbered = ["memories", "events", "decisions"] as const;
export type Numbered = (typeof numbered)[number];
/** Rising. */
export type Seqs = Readonly<Record<Numbered, readonly number[]>>;

/** One step deletes some hundred rows. */
const runs_bytes_max = 1024 * 1024;
/** Tombstones that are looked into for one note: what is beyond is counted whole. */
const looked_into_max = 200;

const columns = "id, rule, deleted_ms, memories, first_seq, last_seq, oldest_ms, newest_ms, sha256";

export interface Gap {
  readonly rule: number;
  readonly memories: number;
}

export class Tombstones {
  readonly #db: Sqlite.Database;

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** Inside the caller's transaction. */
  put(grave: Omit<Tombstone, "id" | "memories" | "first_seq" | "last_seq">, seqs: Seqs): void {
    const { memories } = seqs;
    this.#db
      .prepare(
        `INSERT INTO tombstones (rule, deleted_ms, memories, first_seq, last_seq, oldest_ms, newest_ms, seqs, sha256)
         VALUES (@rule, @deleted_ms, @memories, @first_seq, @last_seq, @oldest_ms, @newest_ms, @seqs, @sha256)`,
      )
      .run({ ...grave, memories: memories.length, first_seq: memories[0], last_seq: memories.at(-1), seqs: packed(seqs) });
    const count = this.#db.prepare(
      `INSERT INTO deleted (what, rows, least) VALUES (?, ?, ?)
       ON CONFLICT (what) DO UPDATE SET rows = rows + excluded.rows, least = min(least, excluded.least)`,
    );
    for (const what of numbered) if (seqs[what].length > 0) count.run(what, seqs[what].length, seqs[what][0]);
  }

  /** The newest first. */
  newest(limit: number): Tombstone[] {
    const rows = this.#db.prepare<[number], unknown>(`SELECT ${columns} FROM tombstones ORDER BY id DESC LIMIT ?`).all(limit);
    return Tombstone.array().parse(rows);
  }

  /** Memories that were deleted in all. */
  get total(): number {
    return this.#db.prepare<[], { n: number }>("SELECT coalesce(sum(memories), 0) AS n FROM tombstones").get()?.n ?? 0;
  }

  /** Memories that were deleted between two places in the order of writing, by rule. */
  between(from: number, upto: number): Gap[] {
    const rows = this.#db
      .prepare<[number, number, number], { rule: number; memories: number; first_seq: number; last_seq: number; seqs: Buffer }>(
        `SELECT rule, memories, first_seq, last_seq, seqs FROM tombstones
         WHERE numbering = 0 AND first_seq <= ? AND last_seq >= ? ORDER BY id DESC LIMIT ?`,
      )
      .all(upto, from, looked_into_max);
    const found = new Map<number, number>();
    for (const { rule, memories, first_seq, last_seq, seqs } of rows) {
      const whole = first_seq >= from && last_seq <= upto;
      const here = whole ? memories : unpacked(seqs).memories.filter((seq) => seq >= from && seq <= upto).length;
      if (here > 0) found.set(rule, (found.get(rule) ?? 0) + here);
    }
    return [...found].map(([rule, memories]) => ({ rule, memories }));
  }

  /** Every number that is gone, by table. Reads all of it. */
  *all(): Generator<Seqs> {
    for (const { seqs } of this.#db.prepare<[], { seqs: Buffer }>("SELECT seqs FROM tombstones WHERE numbering = 0").iterate())
      yield unpacked(seqs);
  }
}

function packed(seqs: Seqs): Buffer {
  const runs = Object.fromEntries(numbered.map((what) => [what, runsOf(seqs[what])]));
  return zstdCompressSync(Buffer.from(JSON.stringify(runs)));
}

function runsOf(seqs: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const seq of seqs) {
    const last = runs.at(-1);
    if (last !== undefined && seq === last[0] + last[1]) last[1] += 1;
    else runs.push([seq, 1]);
  }
  return runs;
}

function unpacked(bytes: Uint8Array): Seqs {
  const runs = DeletedRuns.parse(JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: runs_bytes_max }).toString("utf8")));
  const all = (of: readonly (readonly [number, number])[]): number[] =>
    of.flatMap(([first, count]) => Array.from({ length: count }, (_, n) => first + n));
  return { memories: all(runs.memories), events: all(runs.events), decisions: all(runs.decisions) };
}
