/** Rules of retention and what they deleted: the part of memory. What writes runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import type { RetentionFilter, RetentionRule } from "../../contracts/memory/retention.ts";
import type { LongTerm } from "../longterm/longterm.ts";
import { begin, behind, type Chosen, chosenIn, type Walk, type Window, windowFrom } from "./choose.ts";
import { forget } from "./forget.ts";
import { Kept } from "./kept.ts";
import { Rewritten } from "./rewrite.ts";
import { RetentionRules } from "./rules.ts";
import { type Gap, Tombstones } from "./tombstones.ts";

/** Of one transaction: nobody is to wait for it. */
const forgotten_max = 200;

export interface Step {
  readonly deleted: number;
  /** Where to go on; null: nothing more of this window fits. */
  readonly next: Window | null;
}

export class Retention {
  readonly #db: Sqlite.Database;
  readonly #kept: Kept;
  readonly rules: RetentionRules;
  readonly tombstones: Tombstones;
  readonly rewritten: Rewritten;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#kept = new Kept(db);
    this.rules = new RetentionRules(db);
    this.tombstones = new Tombstones(db);
    this.rewritten = new Rewritten(db);
  }

  get begin(): Walk {
    return begin;
  }

  /** @returns the next window, or null at the end of what may go */
  window(walk: Walk): Window | null {
    return windowFrom(this.#db, walk);
  }

  behind(window: Window, now_ms: number): Walk {
    return behind(this.#db, window, now_ms);
  }

  markKept(): void {
    this.#kept.mark();
  }

  /** Of a window, all that fits a rule and is old enough, those too that stay. `markKept` goes before it. */
  fitting(window: Window, rule: { readonly filter: RetentionFilter; readonly cutoff_ms: number }, now_ms: number): Chosen[] {
    return chosenIn(this.#db, window, rule, { now_ms, limit: -1, also_kept: true });
  }

  /**
   * Where a timeline has gaps: memories that were deleted between those that are shown, oldest first, and beyond them, where
   * there are no more. @param shown their ids; `earlier`, `later`: there are more before and after them
   */
  gaps(shown: readonly string[], { earlier, later }: { readonly earlier: boolean; readonly later: boolean }): Gap[] {
    const ends = this.#db
      .prepare<[string], { first: number | null; last: number | null }>(
        "SELECT min(seq) AS first, max(seq) AS last FROM memories WHERE id IN (SELECT value FROM json_each(?))",
      )
      .get(JSON.stringify(shown));
    const from = earlier ? (ends?.first ?? null) : null;
    const upto = later ? (ends?.last ?? null) : null;
    return this.tombstones.between(from ?? Number.MIN_SAFE_INTEGER, upto ?? Number.MAX_SAFE_INTEGER);
  }

  /** Inside a transaction: deletes the first of a window that a rule is about. */
  step(longterm: LongTerm, window: Window, rule: RetentionRule, now_ms: number): Step {
    this.#kept.mark();
    const chosen = chosenIn(this.#db, window, rule, { now_ms, limit: forgotten_max, also_kept: false });
    const last = chosen.at(-1);
    if (last === undefined) return { deleted: 0, next: null };
    // before they go: what was written between them counts
    const { reached_ms } = behind(this.#db, { ...window, upto: last.seq }, now_ms);
    const next = chosen.length < forgotten_max ? null : { ...window, after: last.seq, reached_ms };
    const gone = forget(
      this.#db,
      longterm.vectors,
      chosen.map(({ seq }) => seq),
    );
    if (gone === null) return { deleted: 0, next };
    longterm.forgot();
    const { seqs, ...rest } = gone;
    this.tombstones.put({ rule: rule.id, deleted_ms: now_ms, ...rest }, seqs);
    return { deleted: seqs.memories.length, next };
  }
}
