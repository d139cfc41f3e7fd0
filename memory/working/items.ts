/** Goals, tasks, plans, steps and incidents as rows; every version of each is kept. Changes run inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import type { z } from "zod";
import { JsonObject, type WorkKind } from "../../contracts/memory/working/fields.ts";
import { WorkItem } from "../../contracts/memory/working/items.ts";
import type { working_methods } from "../../contracts/memory/working.ts";
import type { Around } from "./conditions.ts";
import type { Moment } from "./leases.ts";

/** Of the items of one answer, as JSON. */
const answer_bytes_max = 150 * 1024;

export type Step = Extract<WorkItem, { kind: "step" }>;
/** Besides what may be asked from outside: incidents about one service. */
type Query = z.infer<(typeof working_methods)["work.list"]["params"]> & { readonly service?: string };
type Version = z.infer<(typeof working_methods)["work.history"]["result"]>[number];

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly ended: number;
  readonly version: number;
  readonly parent: string | null;
  readonly root: string;
  readonly created_ms: number;
  readonly changed_ms: number;
  readonly made_by: string;
  readonly changed_by: string;
  readonly reason: string;
  readonly body: string;
}

interface HistoryRow extends Omit<Version, "body" | "from" | "to"> {
  readonly from_state: string | null;
  readonly to_state: string;
  readonly body: string;
}

const columns = "id, kind, state, ended, version, parent, root, created_ms, changed_ms, made_by, changed_by, reason, body";

export class Items implements Around {
  readonly #db: Sqlite.Database;
  readonly #get: Sqlite.Statement<[string], Row>;
  readonly #parts: Sqlite.Statement<[string], Row>;
  readonly #open_incident: Sqlite.Statement<[string], Row>;
  readonly #put: Sqlite.Statement<unknown[]>;
  readonly #keep: Sqlite.Statement<unknown[]>;
  #last_sequence = 0;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#get = db.prepare(`SELECT ${columns} FROM work_items WHERE id = ?`);
    this.#parts = db.prepare(`SELECT ${columns} FROM work_items WHERE parent = ? ORDER BY seq`);
    this.#open_incident = db.prepare(`SELECT ${columns} FROM work_items WHERE key = ? AND ended = 0`);
    this.#put = db.prepare(
      `INSERT INTO work_items (${columns}, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended = excluded.ended, version = excluded.version,
         changed_ms = excluded.changed_ms, changed_by = excluded.changed_by, reason = excluded.reason, body = excluded.body`,
    );
    this.#keep = db.prepare(
      `INSERT INTO work_history (item, version, time_ms, boot, boot_ms, who, why, from_state, to_state, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  /** Unique within the boot, also after a restart of the service and when a damaged file was replaced: it counts microseconds. */
  newId(kind: WorkKind, { boot, boot_ms }: Moment): string {
    this.#last_sequence = Math.max(this.#last_sequence + 1, Math.floor(boot_ms * 1000));
    return `${boot}-${kind}-${this.#last_sequence}`;
  }

  item(id: string): WorkItem | null {
    const row = this.#get.get(id);
    return row === undefined ? null : parsed(row);
  }

  /** What is directly part of it, in the order of making. */
  parts(id: string): WorkItem[] {
    return this.#parts.all(id).map(parsed);
  }

  steps(plan: string): Step[] {
    return this.parts(plan).filter((item) => item.kind === "step");
  }

  openIncident(key: string): WorkItem | null {
    const row = this.#open_incident.get(key);
    return row === undefined ? null : parsed(row);
  }

  /** Writes the item as it now is, and this version of it. @param before its state before, or null when it is new */
  put(item: WorkItem, before: string | null, { boot, boot_ms, time_ms }: Moment): void {
    const { id, kind, state, ended, version, parent, root, created_ms, changed_ms, made_by, changed_by, reason } = item;
    const body = JSON.stringify(item.body);
    const key = item.kind === "incident" ? item.body.key : null;
    this.#put.run(id, kind, state, ended ? 1 : 0, version, parent, root, created_ms, changed_ms, made_by, changed_by, reason, body, key);
    this.#keep.run(id, version, time_ms, boot, boot_ms, changed_by, reason, before, state, body);
  }

  list({ kinds, states, ended, parent, key, service, waits_for, before, limit }: Query): { items: WorkItem[]; more: boolean } {
    const wanted: string[] = [];
    const values: unknown[] = [];
    const such = (condition: string, ...with_values: unknown[]): void => {
      wanted.push(condition);
      values.push(...with_values);
    };
    if (kinds !== undefined) such(`kind IN (${kinds.map(() => "?").join(", ")})`, ...kinds);
    if (states !== undefined) such(`state IN (${states.map(() => "?").join(", ")})`, ...states);
    if (ended !== undefined) such("ended = ?", ended ? 1 : 0);
    if (parent !== undefined) such("parent = ?", parent);
    if (key !== undefined) such("key = ?", key);
    if (service !== undefined) such("json_extract(body, '$.service') = ?", service);
    if (waits_for !== undefined) such("ended = 0 AND json_extract(body, '$.waits_for.call') = ?", waits_for);
    if (before !== undefined) such("seq < (SELECT seq FROM work_items WHERE id = ?)", before);
    const where = wanted.length === 0 ? "" : `WHERE ${wanted.join(" AND ")}`;
    const rows = this.#db
      .prepare<unknown[], Row>(`SELECT ${columns} FROM work_items ${where} ORDER BY seq DESC LIMIT ?`)
      .all(...values, limit + 1);
    const { items, left_out } = thatFit(rows.slice(0, limit).map(parsed));
    return { items, more: left_out > 0 || rows.length > limit };
  }

  /** Newest first. @param before only versions below this one */
  history(id: string, before: number | undefined, limit: number): Version[] {
    const rows = this.#db
      .prepare<[string, number, number], HistoryRow>(
        `SELECT version, time_ms, boot_ms, who, why, from_state, to_state, body FROM work_history
         WHERE item = ? AND version < ? ORDER BY version DESC LIMIT ?`,
      )
      .all(id, before ?? Number.MAX_SAFE_INTEGER, limit);
    const versions = rows.map(({ from_state, to_state, body, ...row }) => ({
      ...row,
      from: from_state,
      to: to_state,
      body: JsonObject.parse(JSON.parse(body)),
    }));
    return thatFit(versions).items;
  }
}

/** The first of them that fit into one answer. */
export function thatFit<T>(all: readonly T[]): { items: T[]; left_out: number } {
  const items: T[] = [];
  let bytes = 0;
  for (const one of all) {
    bytes += Buffer.byteLength(JSON.stringify(one));
    if (bytes > answer_bytes_max) break;
    items.push(one);
  }
  return { items, left_out: all.length - items.length };
}

function parsed({ ended, body, ...row }: Row): WorkItem {
  return WorkItem.parse({ ...row, ended: ended === 1, body: JSON.parse(body) });
}
