/**
 * A person's word against what was decided: a call of it was taken back, or declined. It is kept beside the decision, which stays as
 * its tier has told it, and counts wherever the decision is read: so it may come before the outcome or after it, be told twice, and go
 * again when what was taken back is made anew. What writes runs inside the caller's transaction.
 */

import type Sqlite from "better-sqlite3";
import { type Decision, Overridden } from "../../contracts/decision.ts";
import { Override } from "../../contracts/learning.ts";
import type { PersonSaid } from "../../contracts/memory/learning.ts";

export class Overrides {
  readonly #db: Sqlite.Database;
  readonly #of: Sqlite.Statement<[string], unknown>;
  /** Decisions with a word against them, and maybe some without: most have none, and are not looked up. */
  readonly #decisions: Set<string>;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    // that it was taken back weighs more than that another call of it was declined
    this.#of = db.prepare(
      "SELECT how, by, why, time_ms, call, tool FROM overrides WHERE decision = ? ORDER BY how = 'undone' DESC, time_ms DESC, rowid DESC",
    );
    const rows = db.prepare<[], { decision: string }>("SELECT DISTINCT decision FROM overrides").all();
    this.#decisions = new Set(rows.map(({ decision }) => decision));
  }

  /**
   * What a decision has come to by what people said of it. What was taken back has failed, whatever it had come to; what was declined
   * in a part is no success, and no failure either. While it is under way it has come to nothing yet.
   */
  amended(decision: Decision): Decision {
    const { outcome } = decision;
    const was = outcome.result;
    if (!this.#decisions.has(decision.id) || was === "pending" || was === "overridden") return decision;
    const word = this.#of
      .all(decision.id)
      .map((row) => Overridden.parse(row))
      .find(({ tool }) => makes(decision, tool));
    if (word === undefined) return decision;
    const result = word.how === "undone" ? "overridden" : was === "done" ? "refused" : was;
    return { ...decision, outcome: { ...outcome, result, overridden: { ...word, was } } };
  }

  /**
   * @param held the decision of an id, or null
   * @returns the decision that it is about; null: none. What was written down because of a decision is no call of it
   */
  take(said: PersonSaid, held: (decision: string) => Decision | null): string | null {
    if (said.say === "anew") {
      const gone = this.#db.prepare<[string], { decision: string }>("DELETE FROM overrides WHERE call = ? RETURNING decision");
      return gone.get(said.call)?.decision ?? null;
    }
    const { say: _, ...word } = said;
    const decision = held(word.decision);
    if (decision !== null && !makes(decision, word.tool)) return null;
    this.#db
      .prepare<[typeof word]>(
        `INSERT INTO overrides (call, decision, tool, how, by, why, time_ms, after_seq)
         VALUES (@call, @decision, @tool, @how, @by, @why, @time_ms,
           (SELECT coalesce(max(seq), 0) FROM outcomes WHERE time_ms <= @time_ms))
         ON CONFLICT (call) DO UPDATE SET how = excluded.how, by = excluded.by, why = excluded.why, time_ms = excluded.time_ms,
           after_seq = excluded.after_seq`,
      )
      .run(word);
    this.#decisions.add(word.decision);
    return word.decision;
  }

  /** Newest first. @param decisions null: all */
  newest(decisions: readonly string[] | null, limit: number): Override[] {
    const only = decisions === null ? "" : "WHERE decision IN (SELECT value FROM json_each(@decisions))";
    const rows = this.#db
      .prepare<[{ decisions: string; limit: number }], unknown>(
        `SELECT v.decision, v.how, v.by, v.why, v.time_ms, v.call, v.tool, o.rule, o.tier, o.alarm, o.subject
         FROM overrides v JOIN outcomes o USING (decision) ${only} ORDER BY v.time_ms DESC, v.rowid DESC LIMIT @limit`,
      )
      .all({ decisions: JSON.stringify(decisions), limit });
    return Override.array().parse(rows);
  }
}

function makes({ action }: Decision, tool: string): boolean {
  return action.do === "call" && action.calls.some((call) => call.tool === tool);
}
