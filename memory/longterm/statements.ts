/** Statements whose SQL depends on the question, kept for the next like it: to prepare one takes as long as to run it. */

import type Sqlite from "better-sqlite3";

const kept_max = 64;

export class Statements {
  readonly #db: Sqlite.Database;
  readonly #kept = new Map<string, Sqlite.Statement<unknown[]>>();

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** @param sql values are bound, never part of it */
  of<R = unknown>(sql: string): Sqlite.Statement<unknown[], R> {
    const kept = this.#kept.get(sql);
    if (kept !== undefined) return kept as Sqlite.Statement<unknown[], R>;
    if (this.#kept.size >= kept_max) this.#kept.clear();
    const made = this.#db.prepare<unknown[], R>(sql);
    this.#kept.set(sql, made);
    return made;
  }
}
