/** A memory as one row of a query, and the whole of it put together from that: for recall, and for all that reads through. */

import type Sqlite from "better-sqlite3";
import { Severity } from "../../contracts/event.ts";
import { type Link, Recalled } from "../../contracts/memory/record.ts";
import { taintsOf } from "./rows.ts";

/** Links of one memory in an answer (contracts/memory/record.ts). */
const links_max = 64;

export interface WholeRow {
  readonly seq: number;
  readonly id: string;
  readonly time_ms: number;
  readonly boot_ms: number;
  readonly kind: string;
  readonly source: string;
  readonly severity: number;
  readonly tier: string | null;
  readonly tool: string | null;
  readonly service: string | null;
  readonly outcome: string | null;
  readonly text: string | null;
  readonly body: string | null;
  readonly taint: string | null;
  readonly pinned: number;
  readonly quarantined: string | null;
  readonly used: number;
  readonly useful: number;
  readonly segment: number | null;
}

/** Of `memories m JOIN texts t ON t.id = m.text_id`. */
export const whole_columns = `m.seq, m.id, m.time_ms, m.boot_ms, m.kind, m.source, m.severity, m.tier, m.tool, m.service, m.outcome, t.text,
  coalesce(m.body, CASE m.kind WHEN 'event' THEN (SELECT body FROM events e WHERE e.id = m.id)
                               WHEN 'decision' THEN (SELECT body FROM decisions d WHERE d.id = m.id) END) AS body,
  m.taint, m.pinned, m.quarantined, m.used, m.useful, m.segment`;

/** @param content its text and body, from wherever they are @returns null for one that this version cannot read */
export function wholeOf(
  row: WholeRow,
  links: readonly Link[],
  content: { readonly text: unknown; readonly body: unknown },
): Recalled | null {
  const { seq: _, segment: __, severity, taint, pinned, ...same } = row;
  const read = Recalled.safeParse({
    ...same,
    ...{ text: content.text, body: content.body },
    severity: Severity.options[severity],
    taint: taintsOf(taint),
    links,
    pinned: pinned === 1,
  });
  return read.success ? read.data : null;
}

export function linksOf(db: Sqlite.Database): (id: string) => Link[] {
  const links = db.prepare<[string, number], Link>(
    "SELECT relation, to_id AS 'to' FROM links WHERE from_id = ? ORDER BY relation, to_id LIMIT ?",
  );
  return (id) => links.all(id, links_max);
}
