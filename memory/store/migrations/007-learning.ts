/**
 * What came of every decision about an alarm, small and for good, while the decision itself may be cold (memory/learning/): one row
 * a decision, written and changed with it. `seq` is the order in which they were made; clocks step.
 *
 *   repair_ms   from the alarm until the outcome was known; NULL: it is not known, or another boot's
 *   asked_ms, tokens, usd   what deciding cost
 */
export const learning = `CREATE TABLE outcomes (
     seq INTEGER PRIMARY KEY,
     decision TEXT NOT NULL UNIQUE,
     trigger_id TEXT NOT NULL,
     alarm TEXT NOT NULL,
     subject TEXT NOT NULL,
     rule TEXT NOT NULL,
     tier TEXT NOT NULL,
     result TEXT NOT NULL,
     time_ms REAL NOT NULL,
     repair_ms REAL,
     asked_ms REAL NOT NULL,
     tokens INTEGER NOT NULL,
     usd REAL NOT NULL
   ) STRICT;
   CREATE INDEX outcomes_of_rule ON outcomes (rule, tier, seq);
   CREATE INDEX outcomes_of_alarm ON outcomes (alarm, seq);
   CREATE INDEX outcomes_of_trigger ON outcomes (trigger_id, seq);
   INSERT INTO outcomes (decision, trigger_id, alarm, subject, rule, tier, result, time_ms, repair_ms, asked_ms, tokens, usd)
     SELECT id, trigger_id, body ->> '$.trigger.facts.alarm', body ->> '$.trigger.facts.subject', rule, body ->> '$.tier', result, time_ms,
       (body ->> '$.boot_ms') - (body ->> '$.trigger.boot_ms') + (body ->> '$.outcome.after_ms'),
       (SELECT coalesce(total(value ->> '$.took_ms'), 0) FROM json_each(body, '$.asked')),
       (SELECT CAST(total(value ->> '$.tokens') AS INTEGER) FROM json_each(body, '$.asked')),
       (SELECT total(value ->> '$.usd') FROM json_each(body, '$.asked'))
     FROM decisions WHERE body <> '{}' AND body ->> '$.trigger.kind' = 'alarm.changed' ORDER BY seq;`;
