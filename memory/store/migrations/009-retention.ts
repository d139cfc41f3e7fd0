/**
 * Rules of retention and what they deleted (memory/retention/).
 *
 *   retention_rules.cutoff_ms  what is from before it goes; it follows the clock
 *   retention_rules.ended_ms   NULL: it holds
 *   tombstones      one step of deleting: how many memories, which, by which rule. `seqs`: zstd of JSON, by table the runs of
 *                   `seq` that are gone, [[first, how many], …]; `sha256` is over `seq id time_ms` of each, a line each
 *   tombstones.numbering  0: `seqs` are numbers of this file; otherwise of one that was damaged since
 *   deleted         by table how many rows are gone in all, and the least `seq` of them: largest and least `seq` ever, less
 *                   these, is the number of rows
 *   segments.deleted      memories in the file that are gone from memory.db: it is written anew without them
 *   segments_gone   numbers of segments that were replaced so: a file of such a number is never read again, only removed
 */
export const retention = `CREATE TABLE retention_rules (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     filter TEXT NOT NULL,
     cutoff_ms REAL NOT NULL,
     set_ms REAL NOT NULL,
     set_by TEXT NOT NULL,
     reason TEXT NOT NULL,
     call TEXT NOT NULL UNIQUE,
     ended_ms REAL,
     ended_by TEXT
   ) STRICT;
   CREATE TABLE tombstones (
     id INTEGER PRIMARY KEY,
     rule INTEGER NOT NULL REFERENCES retention_rules (id),
     numbering INTEGER NOT NULL DEFAULT 0,
     deleted_ms REAL NOT NULL,
     memories INTEGER NOT NULL,
     first_seq INTEGER NOT NULL,
     last_seq INTEGER NOT NULL,
     oldest_ms REAL NOT NULL,
     newest_ms REAL NOT NULL,
     seqs BLOB NOT NULL,
     sha256 TEXT NOT NULL
   ) STRICT;
   CREATE INDEX tombstones_in_order ON tombstones (first_seq, last_seq) WHERE numbering = 0;
   CREATE INDEX tombstones_of_rule ON tombstones (rule, memories);
   CREATE TABLE deleted (
     what TEXT PRIMARY KEY,
     rows INTEGER NOT NULL,
     least INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   ALTER TABLE segments ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE segments_gone (
     id INTEGER PRIMARY KEY
   ) STRICT;
   CREATE INDEX work_of_root ON work_items (root);
   CREATE INDEX work_open ON work_items (root) WHERE ended = 0;`;
