/** Of what a rule of retention deleted, how much was told as a memory of its own (memory/retention/due.ts): until then all of it was. */
export const told = `ALTER TABLE retention_rules ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
   UPDATE retention_rules SET told = (SELECT coalesce(sum(memories), 0) FROM tombstones t WHERE t.rule = retention_rules.id);`;
