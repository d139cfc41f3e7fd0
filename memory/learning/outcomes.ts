/** What came of decisions about alarms, as rows. Every method is one statement, or runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import type { Decision } from "../../contracts/decision.ts";
import { AlarmLearned, DryRun, RuleRecord, Try } from "../../contracts/learning.ts";

interface Row {
  readonly decision: string;
  readonly trigger_id: string;
  readonly alarm: string;
  readonly subject: string;
  readonly rule: string;
  readonly tier: string;
  readonly result: string;
  readonly time_ms: number;
  readonly repair_ms: number | null;
  readonly asked_ms: number;
  readonly tokens: number;
  readonly usd: number;
}

/** Of one answer: well below a frame. */
const answer_bytes_max = 192 * 1024;
/** What a person took back has failed. */
const has_failed = "result IN ('failed', 'overridden')";
/** Records are of this form: what is only noted beside another's work is no try. */
const is_try = `(result = 'done' OR ${has_failed}) AND rule NOT LIKE 'trial %'`;
/** What a person did not let be done is told to who learns from cases, too. */
const is_case = `(${is_try} OR result = 'refused' AND decision IN (SELECT decision FROM overrides))`;
/** Of a person's word that a try was taken back: the newest. */
const said = (column: string): string => `(SELECT max(${column}) FROM overrides v WHERE v.decision = o.decision AND how = 'undone')`;

export class Outcomes {
  readonly #db: Sqlite.Database;
  readonly #put: Sqlite.Statement<[Row]>;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#put = db.prepare(
      `INSERT INTO outcomes (decision, trigger_id, alarm, subject, rule, tier, result, time_ms, repair_ms, asked_ms, tokens, usd)
       VALUES (@decision, @trigger_id, @alarm, @subject, @rule, @tier, @result, @time_ms, @repair_ms, @asked_ms, @tokens, @usd)
       ON CONFLICT (decision) DO UPDATE SET result = excluded.result, repair_ms = excluded.repair_ms`,
    );
  }

  /** Of a decision about something else than an alarm there is no row. */
  put(decision: Decision): void {
    const { id, trigger, rule, tier, outcome, time_ms, asked = [] } = decision;
    if (trigger.kind !== "alarm.changed") return;
    const { alarm, subject } = trigger.facts;
    const same_boot = id.slice(0, 8) === trigger.id.slice(0, 8);
    const { result, after_ms } = outcome;
    const repair_ms = after_ms === null || !same_boot ? null : Math.max(0, decision.boot_ms - trigger.boot_ms + after_ms);
    const sum = (of: (one: (typeof asked)[number]) => number): number => asked.reduce((all, one) => all + of(one), 0);
    this.#put.run({
      ...{ decision: id, trigger_id: trigger.id, alarm, subject, rule, tier, result, time_ms, repair_ms },
      asked_ms: sum(({ took_ms }) => took_ms),
      tokens: sum(({ tokens }) => tokens),
      usd: sum(({ usd }) => usd),
    });
  }

  /** @param rules null: all */
  records(rules: readonly string[] | null, limit: number): RuleRecord[] {
    const only = rules === null ? "" : "AND rule IN (SELECT value FROM json_each(@rules))";
    const rows = this.#db
      .prepare<[{ rules: string; limit: number }], unknown>(
        `WITH failures AS (
           SELECT rule, tier, CASE result WHEN 'overridden' THEN max(seq, coalesce(${said("after_seq")}, 0)) ELSE seq END AS seq,
             CASE result WHEN 'overridden' THEN coalesce(${said("time_ms")}, time_ms) ELSE time_ms END AS time_ms
           FROM outcomes o WHERE ${has_failed} ${only}),
         last_failures AS (SELECT rule, max(seq) AS seq FROM failures GROUP BY rule)
         SELECT o.rule, o.tier, sum(result = 'done') AS worked, sum(${has_failed}) AS failed, sum(result = 'overridden') AS overridden,
           sum(result = 'refused') AS refused, sum(result = 'done' AND o.seq > coalesce(l.seq, 0)) AS worked_since_failure,
           min(time_ms) AS first_ms, max(time_ms) AS last_ms,
           (SELECT max(time_ms) FROM failures f WHERE f.rule = o.rule AND f.tier = o.tier) AS last_failed_ms
         FROM outcomes o LEFT JOIN last_failures l ON l.rule = o.rule
         WHERE result <> 'pending' ${only.replace("rule", "o.rule")} GROUP BY o.rule, o.tier ORDER BY max(o.seq) DESC LIMIT @limit`,
      )
      .all({ rules: JSON.stringify(rules), limit });
    return RuleRecord.array().parse(rows);
  }

  /** The newest, oldest first. What a decision said beforehand is not known any more once it is cold. */
  tries(limit: number): Try[] {
    const rows = this.#db
      .prepare<[number], { confidence: number | null; signals: string | null; helped: number }>(
        `SELECT o.time_ms, o.alarm, o.subject, o.tier, o.rule, o.result = 'done' AS helped,
           json_extract(d.body, '$.confidence') AS confidence, json_extract(d.body, '$.signals') AS signals
         FROM (SELECT * FROM outcomes WHERE ${is_try} ORDER BY seq DESC LIMIT ?) o LEFT JOIN decisions d ON d.id = o.decision
         ORDER BY o.seq DESC`,
      )
      .iterate(limit);
    const tries: Try[] = [];
    let bytes = 0;
    for (const { signals, helped, ...row } of rows) {
      const one = Try.safeParse({ ...row, signals: signals === null ? null : JSON.parse(signals), helped: helped === 1 });
      if (!one.success) continue; // of a version with other signals
      bytes += JSON.stringify(one.data).length;
      if (bytes > answer_bytes_max) break;
      tries.push(one.data);
    }
    return tries.reverse();
  }

  /** Of a rule `trial …`, newest first. */
  dryRuns(rule: string, limit: number): DryRun[] {
    const rows = this.#db
      .prepare<[string, number], { decision: string; time_ms: number; allowed: number; solved_by: string | null }>(
        `SELECT decision, time_ms, result = 'suppressed' AS allowed,
           (SELECT s.rule FROM outcomes s WHERE s.trigger_id = o.trigger_id AND s.result = 'done' AND s.rule NOT LIKE 'trial %'
            ORDER BY s.seq LIMIT 1) AS solved_by
         FROM outcomes o WHERE rule = ? AND result IN ('suppressed', 'refused') ORDER BY seq DESC LIMIT ?`,
      )
      .all(rule, limit);
    return DryRun.array().parse(rows.map((row) => ({ ...row, allowed: row.allowed === 1 })));
  }

  /** By name. */
  alarms(limit: number): AlarmLearned[] {
    const rows = this.#db
      .prepare<[number], { alarm: string; seen: number; solved: number; first: number | null; last: number | null }>(
        `SELECT alarm, count(DISTINCT trigger_id) AS seen, count(DISTINCT CASE WHEN result = 'done' THEN trigger_id END) AS solved,
           min(CASE WHEN result = 'done' THEN seq END) AS first, max(CASE WHEN result = 'done' THEN seq END) AS last
         FROM outcomes WHERE ${is_try} GROUP BY alarm ORDER BY alarm LIMIT ?`,
      )
      .all(limit);
    const solved = this.#db.prepare<[number], unknown>(
      `SELECT o.decision, o.rule, o.tier, o.time_ms, coalesce(o.repair_ms, 0) AS repair_ms, t.asked_ms, t.tokens, t.usd, t.tries
       FROM outcomes o, (SELECT trigger_id, sum(asked_ms) AS asked_ms, sum(tokens) AS tokens, sum(usd) AS usd, count(*) AS tries
         FROM outcomes WHERE rule NOT LIKE 'trial %' GROUP BY trigger_id) t
       WHERE o.seq = ? AND t.trigger_id = o.trigger_id`,
    );
    const told = (seq: number | null): unknown => (seq === null ? null : (solved.get(seq) ?? null));
    return AlarmLearned.array().parse(rows.map((row) => ({ ...row, first: told(row.first), last: told(row.last) })));
  }

  /** Ids of the newest decisions that came to an end, in the order in which they were made. */
  newestEnded(limit: number): string[] {
    const rows = this.#db
      .prepare<[number], { decision: string }>(`SELECT decision FROM outcomes WHERE ${is_try} ORDER BY seq DESC LIMIT ?`)
      .all(limit);
    return rows.map(({ decision }) => decision).reverse();
  }

  /** Ids of decisions that are cases to learn from, in the order in which they were made. @param after a decision; null: from the first */
  cases(after: string | null, limit: number): string[] {
    const rows = this.#db
      .prepare<[string | null, number], { decision: string }>(
        `SELECT decision FROM outcomes
         WHERE ${is_case} AND seq > coalesce((SELECT seq FROM outcomes WHERE decision = ?), 0) ORDER BY seq LIMIT ?`,
      )
      .all(after, limit);
    return rows.map(({ decision }) => decision);
  }
}
