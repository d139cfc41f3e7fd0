/**
 * What was before and after. Around a memory the order is that of writing, which no step of a clock can upset; around a
 * moment it is that of the wall clock.
 */

import type Sqlite from "better-sqlite3";
import type { MemoryFilter } from "../../contracts/memory/longterm.ts";
import { whereOf } from "./filter.ts";

export interface Around {
  readonly around: string | number;
  readonly before: number;
  readonly after: number;
  readonly filter: MemoryFilter;
}

interface Row {
  readonly id: string;
}

/** Oldest first; the memory itself is among them whatever the filter says. @returns null when there is no such memory */
export function timelineIds(db: Sqlite.Database, { around, before, after, filter }: Around): string[] | null {
  const where = whereOf(filter);
  const rows = (condition: string, order: string, at: number, limit: number): string[] =>
    db
      .prepare<unknown[], Row>(`SELECT m.id FROM memories m WHERE ${condition} AND ${where.sql} ORDER BY ${order} LIMIT ?`)
      .all(at, ...where.values, limit)
      .map(({ id }) => id);
  if (typeof around === "number") {
    const earlier = rows("m.time_ms < ?", "m.time_ms DESC, m.seq DESC", around, before).reverse();
    return [...earlier, ...rows("m.time_ms >= ?", "m.time_ms, m.seq", around, after)];
  }
  const seq = db.prepare<[string], { seq: number }>("SELECT seq FROM memories WHERE id = ?").get(around)?.seq;
  if (seq === undefined) return null;
  const earlier = rows("m.seq < ?", "m.seq DESC", seq, before).reverse();
  return [...earlier, around, ...rows("m.seq > ?", "m.seq", seq, after)];
}
