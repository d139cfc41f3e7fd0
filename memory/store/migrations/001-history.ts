/** Events and decisions as they came. */
export const history = `CREATE TABLE events (
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
   CREATE INDEX decisions_of_trigger ON decisions (trigger_id, seq);`;
