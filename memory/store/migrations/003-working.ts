/**
 * Goals, tasks, plans, steps and incidents (memory/working/), and what operational memory needs of the disk to survive a
 * restart (memory/operational/recent-log.ts).
 *
 *   work_items.seq     the order of making
 *   work_items.version changes since it was made; every one is a row of `work_history`, with the whole body as it then was
 *   work_items.root    what the lease is on: the goal, task or incident that it is part of, or itself
 *   work_items.key     what an incident is about; of those that have not ended only one may have it
 *   leases             one row for each root that was ever worked on; `holder` NULL: free. `fence` only grows
 *   work_requests      answers of named transactions, so that one that is told twice is done once
 *   recent_metrics     a ring of rows: `slot` is `written` modulo its size
 */
export const working = `CREATE INDEX decisions_in_time ON decisions (substr(id, 1, 8), json_extract(body, '$.boot_ms'));
   CREATE TABLE recent_metrics (
     slot INTEGER PRIMARY KEY,
     written INTEGER NOT NULL UNIQUE,
     boot TEXT NOT NULL,
     boot_ms REAL NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE TABLE work_items (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     kind TEXT NOT NULL,
     state TEXT NOT NULL,
     ended INTEGER NOT NULL,
     version INTEGER NOT NULL,
     parent TEXT REFERENCES work_items (id),
     root TEXT NOT NULL,
     key TEXT,
     created_ms REAL NOT NULL,
     changed_ms REAL NOT NULL,
     made_by TEXT NOT NULL,
     changed_by TEXT NOT NULL,
     reason TEXT NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX work_of_kind ON work_items (kind, ended, seq);
   CREATE INDEX work_of_parent ON work_items (parent, seq) WHERE parent IS NOT NULL;
   CREATE INDEX work_of_key ON work_items (key, seq) WHERE key IS NOT NULL;
   CREATE INDEX work_waiting ON work_items (json_extract(body, '$.waits_for.call'), seq) WHERE ended = 0;
   CREATE UNIQUE INDEX work_open_incident ON work_items (key) WHERE key IS NOT NULL AND ended = 0;
   CREATE TABLE work_history (
     item TEXT NOT NULL REFERENCES work_items (id),
     version INTEGER NOT NULL,
     time_ms REAL NOT NULL,
     boot TEXT NOT NULL,
     boot_ms REAL NOT NULL,
     who TEXT NOT NULL,
     why TEXT NOT NULL,
     from_state TEXT,
     to_state TEXT NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (item, version)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE work_requests (
     caller TEXT NOT NULL,
     request TEXT NOT NULL,
     answer TEXT NOT NULL,
     PRIMARY KEY (caller, request)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE leases (
     root TEXT PRIMARY KEY,
     holder TEXT,
     boot TEXT NOT NULL,
     expires_ms REAL NOT NULL,
     fence INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE contexts (
     tier TEXT PRIMARY KEY,
     version INTEGER NOT NULL,
     changed_ms REAL NOT NULL,
     body TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`;
