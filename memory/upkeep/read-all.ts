/** In the helper: memories in the order of writing, whole, as they are at one moment; a page of rows at a time. */

import type Sqlite from "better-sqlite3";
import type { Link, Recalled } from "../../contracts/memory/record.ts";
import { linksOf, type WholeRow, whole_columns, wholeOf } from "../longterm/whole.ts";
import type { Cold } from "./segments/cold.ts";

const page_rows = 500;

export interface Which {
  /** Null: what is cold is left out. */
  readonly cold: Pick<Cold, "read"> | null;
  readonly since_ms?: number;
  readonly before_ms?: number;
  /** Of this segment alone. */
  readonly segment?: number;
  /** The last in the order of writing. */
  readonly upto_seq?: number;
  readonly kinds?: readonly string[];
  readonly limit?: number;
}

/** @param onRow told of each that is handed over @param onUnreadable of each that is not: its row stays where it is */
export function* readAll(
  db: Sqlite.Database,
  { cold, segment, since_ms, before_ms, upto_seq, kinds, limit }: Which,
  onRow: (row: WholeRow) => void = () => {},
  onUnreadable: (id: string) => void = () => {},
): Generator<Recalled> {
  const page = db.prepare<unknown[], WholeRow>(
    `SELECT ${whole_columns} FROM memories m JOIN texts t ON t.id = m.text_id
     WHERE m.seq > ? AND m.seq <= ? AND m.time_ms >= ? AND m.time_ms < ? AND (? IS NULL OR m.kind IN (SELECT value FROM json_each(?)))
     ${segment === undefined ? "" : `AND m.segment = ${segment}`}
     ${cold === null ? "AND m.segment IS NULL AND t.text IS NOT NULL" : ""} ORDER BY m.seq LIMIT ?`,
  );
  const links = linksOf(db);
  const wanted = kinds === undefined ? null : JSON.stringify(kinds);
  const bounds = [upto_seq ?? Number.MAX_SAFE_INTEGER, since_ms ?? Number.MIN_SAFE_INTEGER, before_ms ?? Number.MAX_SAFE_INTEGER];
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

/** @returns null for one that this version cannot read, or whose segment it cannot */
export function memoryOf(row: WholeRow, links: readonly Link[], cold: Which["cold"]): Recalled | null {
  const { segment, text, body } = row;
  const content = segment === null ? { text, body: JSON.parse(body ?? "null") } : (cold?.read(segment, row.id) ?? null);
  return content === null ? null : wholeOf(row, links, content);
}
