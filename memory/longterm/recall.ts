/** Memories as they come back: the row, its text and body from wherever they are, its links. */

import type Sqlite from "better-sqlite3";
import { Severity } from "../../contracts/event.ts";
import { Recalled } from "../../contracts/memory/record.ts";
import type { Cold } from "./cold.ts";
import { taintsOf } from "./rows.ts";

/** Links of one memory in an answer (contracts/memory/record.ts). */
const links_max = 64;

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
  readonly text: string | null;
  readonly body: string | null;
  readonly taint: string | null;
  readonly pinned: number;
  readonly quarantined: string | null;
  readonly used: number;
  readonly useful: number;
  readonly segment: number | null;
}

const columns = `m.seq, m.id, m.time_ms, m.boot_ms, m.kind, m.source, m.severity, m.tier, m.tool, m.service, m.outcome, t.text,
  coalesce(m.body, CASE m.kind WHEN 'event' THEN (SELECT body FROM events e WHERE e.id = m.id)
                               WHEN 'decision' THEN (SELECT body FROM decisions d WHERE d.id = m.id) END) AS body,
  m.taint, m.pinned, m.quarantined, m.used, m.useful, m.segment`;

export class Recall {
  readonly #cold: Cold;
  readonly #rows: Sqlite.Statement<[string], Row>;
  readonly #links: Sqlite.Statement<[string, number], { relation: string; to: string }>;

  constructor(db: Sqlite.Database, cold: Cold) {
    this.#cold = cold;
    this.#rows = db.prepare(
      `SELECT ${columns} FROM json_each(?) j JOIN memories m ON m.id = j.value JOIN texts t ON t.id = m.text_id ORDER BY j.key`,
    );
    this.#links = db.prepare("SELECT relation, to_id AS 'to' FROM links WHERE from_id = ? LIMIT ?");
  }

  /** In the order of the ids; those that are not held are left out, and those that this version cannot read. */
  byIds(ids: readonly string[]): Recalled[] {
    return this.#rows.all(JSON.stringify(ids)).flatMap((row) => {
      const parsed = Recalled.safeParse(this.#whole(row));
      return parsed.success ? [parsed.data] : [];
    });
  }

  #whole(row: Row): unknown {
    const { seq: _, segment, severity, text, body, taint, pinned, ...same } = row;
    const cold = segment === null ? null : this.#cold.read(segment, row.id);
    const lost = `this memory is in cold segment ${segment ?? "none"}, which cannot be read now`;
    const own_body: unknown = body === null ? { missing: lost } : JSON.parse(body);
    return {
      ...same,
      severity: Severity.options[severity],
      text: cold?.text ?? text ?? lost,
      body: cold?.body ?? own_body,
      taint: taintsOf(taint),
      links: this.#links.all(row.id, links_max),
      pinned: pinned === 1,
    };
  }
}
