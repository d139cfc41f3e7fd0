/**
 * What operational memory reads again after a restart of the service: events and decisions of the last hour from where
 * they are kept for good, and the figures, which have a ring of rows of their own (the last `slots` samples; older ones
 * are written over, as in RAM).
 */

import type Sqlite from "better-sqlite3";
import type { z } from "zod";
import { Decision } from "../../contracts/decision.ts";
import { Event } from "../../contracts/event.ts";
import { MetricSample } from "../../contracts/memory/operational.ts";

/** An hour at one sample every five seconds. */
const slots = 720;

interface Row {
  readonly seq: number;
  readonly body: string;
}

/** One piece of the log, and where to go on. */
export interface Piece<T> {
  readonly items: readonly T[];
  readonly last: number;
  readonly end: boolean;
}

type Since = [boot: string, from_ms: number];
type Range = [after: number, boot: string, from_ms: number, limit: number];
type First = Sqlite.Statement<Since, { before: number }>;

export class RecentLog {
  readonly #db: Sqlite.Database;
  readonly #first_event: First;
  readonly #first_decision: First;
  readonly #events: Sqlite.Statement<Range, Row>;
  readonly #decisions: Sqlite.Statement<Range, Row>;
  readonly #put: Sqlite.Statement<[number, number, string, number, string]>;
  readonly #amended: (decision: Decision) => Decision;
  #written: number;

  /** @param amended a decision as it counts, by what people said of it since (memory/learning/overrides.ts) */
  constructor(db: Sqlite.Database, amended: (decision: Decision) => Decision = (decision) => decision) {
    this.#db = db;
    this.#amended = amended;
    // Which rows those are is found by the indexes in time; `+` keeps the walk itself in the order of writing.
    const decided_ms = "json_extract(body, '$.boot_ms')";
    this.#first_event = db.prepare(beforeFirst("events", "boot = ? AND boot_ms >= ?"));
    this.#first_decision = db.prepare(beforeFirst("decisions", `substr(id, 1, 8) = ? AND ${decided_ms} >= ?`));
    this.#events = db.prepare("SELECT seq, body FROM events WHERE seq > ? AND +boot = ? AND +boot_ms >= ? ORDER BY seq LIMIT ?");
    this.#decisions = db.prepare(
      `SELECT seq, body FROM decisions WHERE seq > ? AND +substr(id, 1, 8) = ? AND +${decided_ms} >= ? ORDER BY seq LIMIT ?`,
    );
    this.#put = db.prepare("INSERT OR REPLACE INTO recent_metrics (slot, written, boot, boot_ms, body) VALUES (?, ?, ?, ?, ?)");
    this.#written = db.prepare<[], { n: number | null }>("SELECT max(written) AS n FROM recent_metrics").get()?.n ?? 0;
  }

  /** Events of `boot` since `from_ms` on its clock, in the order of writing. @param after the row read last; null: from the first on */
  eventsAfter(after: number | null, boot: string, from_ms: number, limit: number): Piece<Event> {
    const from = after ?? this.#first_event.get(boot, from_ms)?.before ?? 0;
    return piece(Event, this.#events.all(from, boot, from_ms, limit), from, limit);
  }

  decisionsAfter(after: number | null, boot: string, from_ms: number, limit: number): Piece<Decision> {
    const from = after ?? this.#first_decision.get(boot, from_ms)?.before ?? 0;
    const read = piece(Decision, this.#decisions.all(from, boot, from_ms, limit), from, limit);
    return { ...read, items: read.items.map(this.#amended) };
  }

  /** Runs inside the caller's transaction. */
  putMetrics(boot: string, sample: MetricSample): void {
    this.#written += 1;
    this.#put.run(this.#written % slots, this.#written, boot, sample.boot_ms, JSON.stringify(sample));
  }

  metrics(boot: string, from_ms: number): MetricSample[] {
    const rows = this.#db
      .prepare<[string, number], { body: string }>("SELECT body FROM recent_metrics WHERE boot = ? AND boot_ms >= ? ORDER BY boot_ms")
      .all(boot, from_ms);
    return rows.flatMap(({ body }) => parsed(MetricSample, body));
  }
}

/** The row before the first of them; where there are none, the last row of all. */
function beforeFirst(table: "events" | "decisions", such: string): string {
  return `SELECT coalesce((SELECT min(seq) - 1 FROM ${table} WHERE ${such}), (SELECT max(seq) FROM ${table}), 0) AS before`;
}

function piece<T>(schema: z.ZodType<T>, rows: readonly Row[], after: number, limit: number): Piece<T> {
  return { items: rows.flatMap(({ body }) => parsed(schema, body)), last: rows.at(-1)?.seq ?? after, end: rows.length < limit };
}

/** A row that this version cannot read is left out. */
function parsed<T>(schema: z.ZodType<T>, body: string): T[] {
  const result = schema.safeParse(JSON.parse(body));
  return result.success ? [result.data] : [];
}
