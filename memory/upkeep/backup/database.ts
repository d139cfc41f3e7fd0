/** Looks through a copy of memory.db that nobody writes. */

import type Sqlite from "better-sqlite3";
import { pragmaNumber, schemaVersion } from "../../../wire/database.ts";
import { memory_file } from "../../store/migrations.ts";

const faults_max = 20;

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly type: "table" | "virtual" | "shadow" | "view";
}

/** @returns what is wrong with it: nothing when it can become memory */
export function faultsIn(db: Sqlite.Database): string[] {
  if (pragmaNumber(db, "application_id") !== memory_file.application_id) return ["memory.db is no memory of this system"];
  const schema = schemaVersion(db);
  const known = memory_file.migrations.length;
  if (schema > known) return [`its schema is ${schema}, and this version knows ${known}: boot the version that wrote it`];
  const lines = db.prepare<[], { integrity_check: string }>(`PRAGMA integrity_check(${faults_max})`).all();
  return lines.map(({ integrity_check }) => integrity_check).filter((line) => line !== "ok");
}

/** Rows by table; not those in which SQLite's modules keep their indexes. */
export function countRows(db: Sqlite.Database): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of plainTables(db)) {
    counts[name] = db.prepare<[], { rows: number }>(`SELECT count(*) AS rows FROM "${name}"`).get()?.rows ?? 0;
  }
  return counts;
}

export function plainTables(db: Sqlite.Database): string[] {
  const tables = db.prepare<[], Table>("PRAGMA main.table_list").all();
  const virtual = tables.filter(({ type }) => type === "virtual").map(({ name }) => `${name}_`);
  return tables
    .filter(({ name, type }) => type === "table" && !name.startsWith("sqlite_") && !virtual.some((prefix) => name.startsWith(prefix)))
    .map(({ name }) => name)
    .sort();
}

/** The segments that it refers to; a database of an earlier schema has none. */
export function segmentsNamed(db: Sqlite.Database): { id: number; sha256: string }[] {
  if (!plainTables(db).includes("segments")) return [];
  return db.prepare<[], { id: number; sha256: string }>("SELECT id, sha256 FROM segments ORDER BY id").all();
}
