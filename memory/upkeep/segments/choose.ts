/** In the helper: reads what is to become cold, as it is at one moment, and writes it into a segment. */

import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { Severity } from "../../../contracts/event.ts";
import type { Job, JobResults } from "../../../contracts/memory/job.ts";
import { type Link, Recalled } from "../../../contracts/memory/record.ts";
import { memory_file } from "../../store/migrations.ts";
import { openReadOnly } from "../backup/database.ts";
import { ensure, segmentFile, segmentsIn } from "../folders.ts";
import { writeSegment } from "./write.ts";

/** Rows that are read at once. */
const page_rows = 500;

interface Row {
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
  readonly text: string;
  readonly body: string;
  readonly taint: string | null;
  readonly pinned: number;
  readonly quarantined: string | null;
  readonly used: number;
  readonly useful: number;
}

export function writeCold({ folder, segment, before_ms, limit }: Extract<Job, { do: "cool" }>): JobResults["cool"] {
  const db = openReadOnly(join(folder, memory_file.file));
  try {
    return db.transaction(() => {
      const chosen = { seqs: [] as number[], oldest_ms: Number.POSITIVE_INFINITY, newest_ms: Number.NEGATIVE_INFINITY };
      const memories = hotMemories(db, before_ms, limit, ({ seq, time_ms }) => {
        chosen.seqs.push(seq);
        chosen.oldest_ms = Math.min(chosen.oldest_ms, time_ms);
        chosen.newest_ms = Math.max(chosen.newest_ms, time_ms);
      });
      const { bytes, plain_bytes, sha256 } = writeSegment(join(ensure(segmentsIn(folder)), segmentFile(segment)), memories);
      if (chosen.seqs.length === 0) throw new Error("there is nothing that is old enough");
      return { ...chosen, bytes, plain_bytes, sha256 };
    })();
  } finally {
    db.close();
  }
}

function* hotMemories(db: Sqlite.Database, before_ms: number, limit: number, onRow: (row: Row) => void): Generator<Recalled> {
  const page = db.prepare<[number, number, number], Row>(
    `SELECT m.*, t.text AS text, coalesce(m.body, e.body, d.body) AS body
     FROM memories m JOIN texts t ON t.id = m.text_id LEFT JOIN events e ON e.id = m.id LEFT JOIN decisions d ON d.id = m.id
     WHERE m.seq > ? AND m.segment IS NULL AND m.time_ms < ? AND t.text IS NOT NULL ORDER BY m.seq LIMIT ?`,
  );
  const links = db.prepare<[string], Link>('SELECT relation, to_id AS "to" FROM links WHERE from_id = ? ORDER BY relation, to_id LIMIT 64');
  let after = 0;
  for (let left = limit; left > 0; ) {
    const rows = page.all(after, before_ms, Math.min(left, page_rows));
    for (const row of rows) {
      const memory = memoryOf(row, links.all(row.id));
      if (memory === null) continue;
      onRow(row);
      yield memory;
    }
    after = rows.at(-1)?.seq ?? after;
    left = rows.length === 0 ? 0 : left - rows.length;
  }
}

/** @returns null for a row that this version cannot read: it stays where it is */
function memoryOf({ seq: _, severity, taint, pinned, ...row }: Row, links: Link[]): Recalled | null {
  const read = Recalled.safeParse({
    ...without(row, ["text_id", "segment"]),
    severity: Severity.options[severity],
    body: JSON.parse(row.body),
    taint: taint === null ? [] : JSON.parse(taint),
    links,
    pinned: pinned === 1,
  });
  return read.success ? read.data : null;
}

function without(row: object, columns: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !columns.includes(column)));
}
