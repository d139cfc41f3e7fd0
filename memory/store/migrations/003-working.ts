/** Goals, tasks, plans, leases, incidents; and what operational memory needs of the disk to survive a restart. */
export const working = `CREATE INDEX decisions_in_time ON decisions (substr(id, 1, 8), json_extract(body, '$.boot_ms'));
   CREATE TABLE recent_metrics (
     slot INTEGER PRIMARY KEY,
     written INTEGER NOT NULL UNIQUE,
     boot TEXT NOT NULL,
     boot_ms REAL NOT NULL,
     body TEXT NOT NULL
   ) STRICT;`;
