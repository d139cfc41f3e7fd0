/**
 * The schema of audit.db. An entry is its canonical JSON (`content`) and its two hashes; everything that is searched by is
 * computed from that text by SQLite itself, so that there is no second truth to disagree with the hashed one.
 */

import type { DatabaseKind } from "../../wire/database.ts";

const never = (table: string, change: "UPDATE" | "DELETE"): string =>
  `CREATE TRIGGER ${table}_no_${change.toLowerCase()} BEFORE ${change} ON ${table}
     BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END;`;

export const migrations: readonly string[] = [
  `CREATE TABLE entries (
     seq INTEGER PRIMARY KEY,
     previous TEXT NOT NULL CHECK (length(previous) = 64),
     hash TEXT NOT NULL CHECK (length(hash) = 64),
     content TEXT NOT NULL,
     kind TEXT GENERATED ALWAYS AS (content ->> '$.kind') VIRTUAL,
     time_ms REAL GENERATED ALWAYS AS (content ->> '$.time_ms') VIRTUAL,
     call TEXT GENERATED ALWAYS AS (content ->> '$.call') VIRTUAL,
     principal TEXT GENERATED ALWAYS AS (content ->> '$.principal') VIRTUAL,
     tool TEXT GENERATED ALWAYS AS (content ->> '$.tool') VIRTUAL,
     group_name TEXT GENERATED ALWAYS AS (content ->> '$.group') VIRTUAL,
     event TEXT GENERATED ALWAYS AS (content ->> '$.event') VIRTUAL,
     status TEXT GENERATED ALWAYS AS (content ->> '$.status') VIRTUAL
   ) STRICT;
   CREATE INDEX entries_in_time ON entries (time_ms);
   CREATE INDEX entries_of_call ON entries (call, seq) WHERE call IS NOT NULL;
   CREATE INDEX entries_of_principal ON entries (principal, seq);
   CREATE INDEX entries_of_tool ON entries (tool, seq) WHERE tool IS NOT NULL;
   CREATE INDEX entries_of_group ON entries (group_name, seq) WHERE group_name IS NOT NULL;
   CREATE INDEX entries_of_event ON entries (event, seq) WHERE event IS NOT NULL;
   CREATE TABLE resources (id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (id, seq)) STRICT, WITHOUT ROWID;
   CREATE TABLE open_calls (call TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
   CREATE VIRTUAL TABLE words USING fts5 (text, content = '', columnsize = 0);
   CREATE TABLE words_state (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL) STRICT;
   INSERT INTO words_state VALUES (1, 0);

   CREATE TRIGGER entries_in_order BEFORE INSERT ON entries
     WHEN new.seq <> coalesce((SELECT max(seq) FROM entries), 0) + 1
     BEGIN SELECT RAISE(ABORT, 'an entry is only ever added after the newest'); END;
   CREATE TRIGGER entries_resources AFTER INSERT ON entries
     BEGIN
       INSERT OR IGNORE INTO resources SELECT value ->> '$.id', new.seq FROM json_each(new.content, '$.resources');
     END;
   CREATE TRIGGER entries_opened AFTER INSERT ON entries WHEN new.kind = 'intent'
     BEGIN INSERT OR IGNORE INTO open_calls VALUES (new.call); END;
   CREATE TRIGGER entries_closed AFTER INSERT ON entries WHEN new.kind = 'outcome'
     BEGIN DELETE FROM open_calls WHERE call = new.call; END;
   ${never("entries", "UPDATE")}
   ${never("entries", "DELETE")}
   ${never("resources", "UPDATE")}
   ${never("resources", "DELETE")}`,
];

export const audit_file: DatabaseKind = {
  file: "audit.db",
  what: "an audit",
  application_id: 0x61694f41, // "aiOA" in ASCII
  migrations,
};
