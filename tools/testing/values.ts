/** What a broker keeps of a family, read from its file: for those that observe a world from outside. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { loadNative } from "../../wire/native.ts";

interface Row {
  readonly key: string;
  readonly value: string;
}

/** @param broker the broker's folder. @param prefix of the keys */
export function valuesIn(broker: string, family: string, prefix: string): Row[] {
  const file = join(broker, "broker.db");
  if (!existsSync(file)) return [];
  const Database = loadNative("better-sqlite3") as new (path: string, options: object) => Sqlite.Database;
  const db = new Database(file, { readonly: true });
  try {
    return db
      .prepare<[string, string], Row>("SELECT key, value FROM tool_values WHERE family = ? AND key GLOB ? ORDER BY key")
      .all(family, `${prefix}*`);
  } finally {
    db.close();
  }
}
