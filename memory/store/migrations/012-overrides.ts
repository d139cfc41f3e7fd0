/**
 * What people took back or declined of the calls of decisions (memory/learning/overrides.ts), one row a call while that word counts.
 *
 *   how         'undone', 'declined'
 *   after_seq   the newest row of `outcomes` of that time: only what was decided later has helped since
 */
export const overrides = `CREATE TABLE overrides (
     call TEXT PRIMARY KEY,
     decision TEXT NOT NULL,
     tool TEXT NOT NULL,
     how TEXT NOT NULL,
     by TEXT NOT NULL,
     why TEXT NOT NULL,
     time_ms REAL NOT NULL,
     after_seq INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX overrides_of_decision ON overrides (decision, time_ms);
   CREATE INDEX overrides_in_time ON overrides (time_ms);`;
