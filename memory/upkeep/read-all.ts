/** In the helper: memories in the order of writing, whole, as they are at one moment; a page of rows at a time. */

import type Sqlite from "better-sqlite3";
import { Severity } from "../../contracts/event.ts";
import { type Link, Recalled } from "../../contracts/memory/record.ts";
import type { Cold } from "./segments/cold.ts";

const page_rows = 500;
const links_max = 64;

export interface Row {
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
  readonly taint: string | null;
  readonly pinned: number;
  readonly quarantined: string | null;
  readonly used: number;
  readonly useful: number;
  readonly segment: number | null;
  readonly text: string | null;
  readonly body: string | null;
}

export interface Which {
  /** Null: what is cold is left out. */
  readonly cold: Pick<Cold, "read"> | null;
  readonly since_ms?: number;
  readonly before_ms?: number;
  readonly kinds?: readonly string[];
  readonly limit?: number;
}

export const columns = `m.seq, m.id, m.time_ms, m.boot_ms, m.kind, m.source, m.severity, m.tier, m.tool, m.service, m.outcome, m.taint,
  m.pinned, m.quarantined, m.used, m.useful, m.segment, t.text,
  coalesce(m.body, (SELECT body FROM events e WHERE e.id = m.id), (SELECT body FROM decisions d WHERE d.id = m.id)) AS body`;

/** @param onRow told of each that is handed over @param onUnreadable of each that is not: its row stays where it is */
export function* readAll(
  db: Sqlite.Database,
  { cold, since_ms, before_ms, kinds, limit }: Which,
  onRow: (row: Row) => void = () => {},
  onUnreadable: (id: string) => void = () => {},
): Generator<Recalled> {
  const page = db.prepare<unknown[], Row>(
    `SELECT ${columns} FROM memories m JOIN texts t ON t.id = m.text_id
     WHERE m.seq > ? AND m.time_ms >= ? AND m.time_ms < ? AND (? IS NULL OR m.kind IN (SELECT value FROM json_each(?)))
     ${cold === null ? "AND m.segment IS NULL AND t.text IS NOT NULL" : ""} ORDER BY m.seq LIMIT ?`,
  );
  const links = linksOf(db);
  const wanted = kinds === undefined ? null : JSON.stringify(kinds);
  const bounds = [since_ms ?? Number.MIN_SAFE_INTEGER, before_ms ?? Number.MAX_SAFE_INTEGER];
  let after = Number.MIN_SAFE_INTEGER;
  for (let left = limit ?? Number.POSITIVE_INFINITY; left > 0; ) {
    const rows = page.all(after, ...bounds, wanted, wanted, Math.min(left, page_rows));
    for (const row of rows) {
      const memory = memoryOf(row, links(row.id), cold);
      if (memory === null) {
        onUnreadable(row.id);
        continue;
      }
      onRow(row);
      yield memory;
    }
    after = rows.at(-1)?.seq ?? after;
    left = rows.length === 0 ? 0 : left - rows.length;
  }
}

export function linksOf(db: Sqlite.Database): (id: string) => Link[] {
  const links = db.prepare<[string, number], Link>(
    "SELECT relation, to_id AS 'to' FROM links WHERE from_id = ? ORDER BY relation, to_id LIMIT ?",
  );
  return (id) => links.all(id, links_max);
}

/** @returns null for one that this version cannot read, or whose segment it cannot */
export function memoryOf(row: Row, links: readonly Link[], cold: Which["cold"]): Recalled | null {
  const { seq: _, segment, severity, taint, pinned, text, body, ...same } = row;
  const content = segment === null ? { text, body: JSON.parse(body ?? "null") } : (cold?.read(segment, row.id) ?? null);
  if (content === null) return null;
  const read = Recalled.safeParse({
    ...same,
    severity: Severity.options[severity],
    text: content.text,
    body: content.body,
    taint: taint === null ? [] : JSON.parse(taint),
    links,
    pinned: pinned === 1,
  });
  return read.success ? read.data : null;
}
