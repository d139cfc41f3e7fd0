/** Grants and agents in broker.db. Numbers are never given twice; no row is ever deleted. */

export const permission_schema: readonly string[] = [
  `CREATE TABLE grants (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     call TEXT NOT NULL UNIQUE,
     principal TEXT NOT NULL,
     scope TEXT NOT NULL,
     reason TEXT NOT NULL,
     granted_by TEXT NOT NULL,
     granter_role TEXT,
     created_ms INTEGER NOT NULL,
     expires_ms INTEGER NOT NULL,
     expired INTEGER NOT NULL DEFAULT 0,
     revoked_ms INTEGER,
     calls_max INTEGER,
     calls_used INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE INDEX grants_in_force ON grants (number) WHERE revoked_ms IS NULL AND expired = 0;
   CREATE TABLE agents (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     call TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     owner TEXT NOT NULL,
     task TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     expires_ms INTEGER NOT NULL,
     ended_ms INTEGER
   ) STRICT;
   CREATE UNIQUE INDEX agents_alive ON agents (name) WHERE ended_ms IS NULL;
   CREATE INDEX agents_by_name ON agents (name)`,
];
