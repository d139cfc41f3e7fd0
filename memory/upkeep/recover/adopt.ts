/**
 * Segments that memory.db does not know: left by a move that was killed before its transaction, written by salvage.ts, or
 * all that there is after memory.db was lost. What is not there by its id becomes cold memory; a file of which nothing was
 * needed goes, for all that it holds is in memory.db.
 *
 * They are older than what was written since: rows get numbers below those that are there.
 */

import type Sqlite from "better-sqlite3";
import { Decision } from "../../../contracts/decision.ts";
import { Event } from "../../../contracts/event.ts";
import type { Recalled } from "../../../contracts/memory/record.ts";
import type { LongTerm } from "../../longterm/longterm.ts";
import type { Store } from "../../store/store.ts";

export interface Bases {
  readonly memories: number;
  readonly events: number;
  readonly decisions: number;
}

/** Where the rows of `count` memories fit below all others, those too that were deleted. */
export function basesBelow(db: Sqlite.Database, count: number): Bases {
  const gone = db.prepare<[string], { least: number }>("SELECT least FROM deleted WHERE what = ?");
  const below = (table: string): number => {
    const held = db.prepare<[], { least: number | null }>(`SELECT min(seq) AS least FROM ${table}`).get()?.least ?? 1;
    return Math.min(held, gone.get(table)?.least ?? held) - count;
  };
  return { memories: below("memories"), events: below("events"), decisions: below("decisions") };
}

/** Inside the caller's transaction. @param place its number in the segment, from 0 @returns whether it was not there */
export function adopt(
  db: Sqlite.Database,
  { store, longterm }: { readonly store: Store; readonly longterm: LongTerm },
  record: Recalled,
  to: { readonly segment: number; readonly bases: Bases; readonly place: number },
): boolean {
  if (longterm.holds(record.id)) return false;
  const { pinned, quarantined, used, useful, ...memory } = record;
  const history = historyOf(record);
  if (history === null) longterm.put(memory);
  else {
    if ("event" in history) store.addEvent(history.event);
    else store.putDecision(history.decision);
    const table = "event" in history ? "events" : "decisions";
    db.prepare(`UPDATE ${table} SET seq = ? WHERE id = ?`).run(to.bases[table] + to.place, record.id);
    for (const link of memory.links) longterm.link(record.id, link);
  }
  db.prepare(
    `UPDATE memories SET seq = ?, segment = ?, body = NULL, taint = ?, outcome = ?, pinned = ?, quarantined = ?, used = ?, useful = ?
     WHERE id = ?`,
  ).run(
    to.bases.memories + to.place,
    to.segment,
    record.taint.length === 0 ? null : JSON.stringify(record.taint),
    record.outcome,
    pinned ? 1 : 0,
    quarantined,
    used,
    useful,
    record.id,
  );
  return true;
}

/** Those of this machine are events and decisions again, not only memories of them. */
function historyOf({ id, kind, body, taint }: Recalled): { event: Event } | { decision: Decision } | null {
  if (taint.some((from) => from.startsWith("import:"))) return null;
  if (kind === "event") {
    const event = Event.safeParse(body);
    return event.success && event.data.id === id ? { event: event.data } : null;
  }
  const decision = kind === "decision" ? Decision.safeParse(body) : null;
  return decision?.success === true && decision.data.id === id ? { decision: decision.data } : null;
}
