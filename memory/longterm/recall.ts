/** Memories as they come back: the row, its text and body from wherever they are, its links. */

import type Sqlite from "better-sqlite3";
import type { Link, Recalled } from "../../contracts/memory/record.ts";
import type { Cold } from "./cold.ts";
import { linksOf, type WholeRow, whole_columns, wholeOf } from "./whole.ts";

export class Recall {
  readonly #cold: Cold;
  readonly #rows: Sqlite.Statement<[string], WholeRow>;
  readonly #links: (id: string) => Link[];

  constructor(db: Sqlite.Database, cold: Cold) {
    this.#cold = cold;
    this.#rows = db.prepare(
      `SELECT ${whole_columns} FROM json_each(?) j JOIN memories m ON m.id = j.value JOIN texts t ON t.id = m.text_id ORDER BY j.key`,
    );
    this.#links = linksOf(db);
  }

  /** In the order of the ids; those that are not held are left out, and those that this version cannot read. */
  byIds(ids: readonly string[]): Recalled[] {
    return this.#rows.all(JSON.stringify(ids)).flatMap((row) => wholeOf(row, this.#links(row.id), this.#content(row)) ?? []);
  }

  #content({ id, segment, text, body }: WholeRow): { text: string; body: unknown } {
    const cold = segment === null ? null : this.#cold.read(segment, id);
    const lost = `this memory is in cold segment ${segment ?? "none"}, which cannot be read now`;
    const own_body: unknown = body === null ? { missing: lost } : JSON.parse(body);
    return { text: cold?.text ?? text ?? lost, body: cold?.body ?? own_body };
  }
}
