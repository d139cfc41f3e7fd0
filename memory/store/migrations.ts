/**
 * The schema of memory.db, as numbered steps that are only ever added to. `user_version` is the number of steps taken.
 * `seq` is the order of writing; rows are never deleted, so the largest `seq` is also the number of rows.
 */

import type { DatabaseKind } from "../../wire/database.ts";

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

export const memory_file: DatabaseKind = {
  file: "memory.db",
  what: "a memory",
  application_id: 0x61694f53, // "aiOS" in ASCII
  migrations,
};
