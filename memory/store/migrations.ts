/**
 * The schema of memory.db, as numbered steps that are only ever added to. `user_version` is the number of steps taken.
 * `seq` is the order of writing; rows are never deleted, so the largest `seq` is also the number of rows.
 */

import type Sqlite from "better-sqlite3";

/** "aiOS" in ASCII: tells a database of ours from any other (sqlite.org/pragma.html#pragma_application_id). */
export const application_id = 0x61694f53;

export const migrations: readonly string[] = [
  `CREATE TABLE events (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     boot TEXT NOT NULL,
     time_ms REAL NOT NULL,
     boot_ms REAL NOT NULL,
     kind TEXT NOT NULL,
     service TEXT,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX events_of_kind ON events (kind, seq);
   CREATE INDEX events_of_service ON events (service, seq) WHERE service IS NOT NULL;
   CREATE INDEX events_in_time ON events (boot, boot_ms);
   CREATE TABLE decisions (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     trigger_id TEXT NOT NULL,
     time_ms REAL NOT NULL,
     rule TEXT NOT NULL,
     result TEXT NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX decisions_of_trigger ON decisions (trigger_id, seq);`,
];

/** Takes the steps that are missing, all or none. */
export function migrate(db: Sqlite.Database, steps: readonly string[] = migrations): void {
  const taken = schemaVersion(db);
  if (taken === steps.length) return;
  db.transaction(() => {
    for (const step of steps.slice(taken)) db.exec(step);
    db.pragma(`application_id = ${application_id}`);
    db.pragma(`user_version = ${steps.length}`);
  }).immediate();
}

export function schemaVersion(db: Sqlite.Database): number {
  return pragmaNumber(db, "user_version");
}

export function pragmaNumber(db: Sqlite.Database, name: string): number {
  const value = db.pragma(name, { simple: true });
  if (typeof value !== "number") throw new Error(`reading the pragma "${name}" failed: "${String(value)}" is no number`);
  return value;
}
