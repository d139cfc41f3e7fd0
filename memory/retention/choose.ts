/**
 * Which memories a rule is about. How old a memory is, its own time does not tell alone: a machine whose clock stood in the past
 * wrote memories of today with times of years ago. It counts as no older than what was written before it, unless that is
 * from the future. So memory is gone through in the order of writing, a window at a time, with the latest time so far.
 */

import type Sqlite from "better-sqlite3";
import type { RetentionFilter } from "../../contracts/memory/retention.ts";
import { severityNumber, whereOf } from "../longterm/filter.ts";

/** What operational memory reads again at a start, and the last row of each table, whose number is not to be given again. */
export const keep_newest = 2000;
/** Rows that are looked at for one question. */
export const window_rows = 4000;

/** Where a walk through memory stands. */
export interface Walk {
  readonly after: number;
  /** The latest time that was written up to there, but for times of the future. */
  readonly reached_ms: number;
}
export interface Window extends Walk {
  readonly upto: number;
}

export interface Chosen {
  readonly seq: number;
  readonly cold: number;
  readonly kept: number;
  readonly time_ms: number;
}

export const begin: Walk = { after: Number.MIN_SAFE_INTEGER, reached_ms: Number.MIN_SAFE_INTEGER };

const latest = "max(CASE WHEN time_ms <= @now THEN time_ms END)";

/** @returns the window from there on, or null at the end */
export function windowFrom(db: Sqlite.Database, { after, reached_ms }: Walk): Window | null {
  const row = db
    .prepare<[{ after: number }], { upto: number | null }>(
      `SELECT max(seq) AS upto FROM (SELECT seq FROM memories
       WHERE seq > @after AND seq <= (SELECT max(seq) FROM memories) - ${keep_newest} ORDER BY seq LIMIT ${window_rows})`,
    )
    .get({ after });
  return row === undefined || row.upto === null ? null : { after, reached_ms, upto: row.upto };
}

export function behind(db: Sqlite.Database, { after, upto, reached_ms }: Window, now_ms: number): Walk {
  const row = db
    .prepare<[{ after: number; upto: number; now: number }], { latest: number | null }>(
      `SELECT ${latest} AS latest FROM memories WHERE seq > @after AND seq <= @upto`,
    )
    .get({ after, upto, now: now_ms });
  return { after: upto, reached_ms: Math.max(reached_ms, row?.latest ?? reached_ms) };
}

/** Of a window, the first that are old enough and fit. `kept`: they stay (kept.ts, of which the table is to be there). */
export function chosenIn(
  db: Sqlite.Database,
  { after, upto, reached_ms }: Window,
  { filter, cutoff_ms }: { readonly filter: RetentionFilter; readonly cutoff_ms: number },
  { now_ms, limit, also_kept }: { readonly now_ms: number; readonly limit: number; readonly also_kept: boolean },
): Chosen[] {
  const where = whereOf({
    ...{ kinds: filter.kinds, sources: filter.sources, tiers: filter.tiers },
    quarantined: true,
  });
  const severity = filter.severity_max === undefined ? "" : `AND m.severity <= ${severityNumber(filter.severity_max)}`;
  const kept = "m.id IN (SELECT id FROM temp.kept)";
  const rows = db.prepare<unknown[], Chosen>(
    `SELECT m.seq, m.segment IS NOT NULL AS cold, ${kept} AS kept, m.time_ms FROM (
       SELECT *, ${latest} OVER (ORDER BY seq) AS latest_ms FROM memories WHERE seq > @after AND seq <= @upto) m
     WHERE max(coalesce(m.latest_ms, @reached), @reached) < @cutoff AND m.time_ms < @cutoff ${severity}
       ${also_kept ? "" : `AND NOT ${kept}`} AND ${where.sql} ORDER BY m.seq LIMIT @limit`,
  );
  return rows.all(...where.values, { after, upto, reached: reached_ms, cutoff: cutoff_ms, now: now_ms, limit });
}
