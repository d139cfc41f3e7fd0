/**
 * Opens broker.db: what the broker knows besides the audit (grants, approvals, keys of calls, values of tools). Every
 * write is durable when it returns (synchronous=FULL).
 *
 * It is the broker's own and no memory: a file that is damaged or from a later version is not used and not touched, and
 * the broker then changes nothing until a person has looked.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { loadNative } from "../../wire/native.ts";

/** "aiOb" */
const application_id = 0x61694f62;

/** One step forward of the schema. Never changed once released: a later step mends an earlier one. */
export type Migration = (db: Sqlite.Database) => void;

/** @throws when it cannot be used, with what to do */
export function openState(folder: string, migrations: readonly Migration[]): Sqlite.Database {
  const path = join(folder, "broker.db");
  const about = `opening the broker's state "${path}" failed`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new (loadNative("better-sqlite3") as typeof Sqlite)(path, { timeout: 2000 });
  try {
    const version = Number(db.pragma("user_version", { simple: true }));
    const found = Number(db.pragma("application_id", { simple: true }));
    if (found !== application_id && !(found === 0 && version === 0)) throw new Error(`${about}: it is a database of something else; move it away`);
    if (version > migrations.length)
      throw new Error(`${about}: its schema is ${version}, and this version knows ${migrations.length}; boot the version that wrote it`);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("cache_size = -512");
    db.transaction(() => {
      db.pragma(`application_id = ${application_id}`);
      for (const [index, migrate] of migrations.entries()) if (index >= version) migrate(db);
      db.pragma(`user_version = ${migrations.length}`);
    }).immediate();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
