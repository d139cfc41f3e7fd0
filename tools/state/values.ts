/** Durable values of the tools, by family: a key is seen by its own family only. */

import type Sqlite from "better-sqlite3";
import type { State } from "../context.ts";

/** broker.db */
export const values_schema = `CREATE TABLE tool_values
  (family TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (family, key)) STRICT, WITHOUT ROWID`;

interface Row {
  readonly key: string;
  readonly value: string;
}

export class Values {
  readonly #get: Sqlite.Statement<[string, string], Row>;
  readonly #put: Sqlite.Statement<[string, string, string]>;
  readonly #delete: Sqlite.Statement<[string, string]>;
  readonly #list: Sqlite.Statement<[string, string, number, string], Row>;

  constructor(db: Sqlite.Database) {
    this.#get = db.prepare("SELECT key, value FROM tool_values WHERE family = ? AND key = ?");
    this.#put = db.prepare("INSERT INTO tool_values VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    this.#delete = db.prepare("DELETE FROM tool_values WHERE family = ? AND key = ?");
    this.#list = db.prepare("SELECT key, value FROM tool_values WHERE family = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key");
  }

  of(family: string): State {
    return {
      get: (key) => {
        const row = this.#get.get(family, key);
        return row === undefined ? undefined : parsed(row.value);
      },
      put: (key, value) => {
        const text = JSON.stringify(value);
        if (text === undefined) throw new Error(`keeping the value "${key}" of ${family} failed: it is not JSON`);
        this.#put.run(family, key, text);
      },
      delete: (key) => {
        this.#delete.run(family, key);
      },
      list: (prefix = "") =>
        this.#list.all(family, prefix, prefix.length, prefix).map((row) => ({ key: row.key, value: parsed(row.value) })),
    };
  }
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}
