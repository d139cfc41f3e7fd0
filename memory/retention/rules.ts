/** Rules of retention as rows. What writes runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import { RetentionFilter, type RetentionRule, retention_rules_max } from "../../contracts/memory/retention.ts";

export const day_ms = 86_400_000;
/** How many times as fast as time passes a cutoff may follow a clock that was set ahead. */
const haste_max = 2;
const listed_max = 200;

interface Row {
  readonly id: number;
  readonly filter: string;
  readonly cutoff_ms: number;
  readonly set_ms: number;
  readonly set_by: string;
  readonly reason: string;
  readonly ended_ms: number | null;
  readonly ended_by: string | null;
  readonly deleted: number;
}

const columns = `id, filter, cutoff_ms, set_ms, set_by, reason, ended_ms, ended_by,
  (SELECT coalesce(sum(memories), 0) FROM tombstones t WHERE t.rule = r.id) AS deleted`;

interface NewRule {
  readonly filter: RetentionFilter;
  readonly by: string;
  readonly reason: string;
  readonly call: string;
}

export class RetentionRules {
  readonly #db: Sqlite.Database;

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** Those that hold. */
  active(): RetentionRule[] {
    return this.#db.prepare<[], Row>(`SELECT ${columns} FROM retention_rules r WHERE ended_ms IS NULL ORDER BY id`).all().map(ruleOf);
  }

  /** Those that hold first, the newest first. */
  all(): RetentionRule[] {
    const rows = this.#db.prepare<[number], Row>(`SELECT ${columns} FROM retention_rules r ORDER BY ended_ms IS NOT NULL, id DESC LIMIT ?`);
    return rows.all(listed_max).map(ruleOf);
  }

  one(id: number): RetentionRule | null {
    const row = this.#db.prepare<[number], Row>(`SELECT ${columns} FROM retention_rules r WHERE id = ?`).get(id);
    return row === undefined ? null : ruleOf(row);
  }

  /** @returns the rule, or null when there are as many as there may be */
  set({ filter, by, reason, call }: NewRule, now_ms: number): RetentionRule | null {
    const known = this.#db.prepare<[string], { id: number }>("SELECT id FROM retention_rules WHERE call = ?").get(call);
    if (known !== undefined) return this.one(known.id);
    if (this.active().length >= retention_rules_max) return null;
    const { lastInsertRowid } = this.#db
      .prepare("INSERT INTO retention_rules (filter, cutoff_ms, set_ms, set_by, reason, call) VALUES (?, ?, ?, ?, ?, ?)")
      .run(JSON.stringify(filter), cutoffOf(filter, now_ms), now_ms, by, reason, call);
    return this.one(Number(lastInsertRowid));
  }

  /** @returns the rule as it is then, or null when there is none */
  end(id: number, by: string, now_ms: number): RetentionRule | null {
    this.#db.prepare("UPDATE retention_rules SET ended_ms = ?, ended_by = ? WHERE id = ? AND ended_ms IS NULL").run(now_ms, by, id);
    return this.one(id);
  }

  /** What was deleted and not told yet, also where a process ended in between. */
  untold(): { readonly id: number; readonly set_by: string; readonly memories: number }[] {
    return this.#db
      .prepare<[], { id: number; set_by: string; memories: number }>(
        `SELECT id, set_by, deleted - told AS memories FROM (SELECT told, ${columns} FROM retention_rules r) WHERE deleted > told ORDER BY id`,
      )
      .all();
  }

  tell(id: number, memories: number): void {
    this.#db.prepare("UPDATE retention_rules SET told = told + ? WHERE id = ?").run(memories, id);
  }

  /**
   * Cutoffs follow the clock: never back, and only so fast. A clock that is a year ahead for a day would have everything be
   * old otherwise; so it is a day's worth too much.
   */
  follow(now_ms: number, passed_ms: number): void {
    const move = this.#db.prepare("UPDATE retention_rules SET cutoff_ms = ? WHERE id = ?");
    for (const { id, filter, cutoff_ms } of this.active()) {
      const next_ms = Math.min(cutoffOf(filter, now_ms), cutoff_ms + haste_max * passed_ms);
      if (next_ms > cutoff_ms) move.run(next_ms, id);
    }
  }
}

export function cutoffOf({ older_than_days }: RetentionFilter, now_ms: number): number {
  return now_ms - older_than_days * day_ms;
}

function ruleOf({ filter, ...row }: Row): RetentionRule {
  return { ...row, filter: RetentionFilter.parse(JSON.parse(filter)) };
}
