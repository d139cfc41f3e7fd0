/** Rows as older versions wrote them, by SQL: the code that did it is gone or has changed since. */

import type Sqlite from "better-sqlite3";
import type { Decision } from "../../../contracts/decision.ts";
import type { Event } from "../../../contracts/event.ts";

/** Schema 1. In one transaction. */
export function writeHistory(db: Sqlite.Database, events: readonly Event[], decisions: readonly Decision[]): void {
  const event = db.prepare("INSERT INTO events (id, boot, time_ms, boot_ms, kind, service, body) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const decision = db.prepare("INSERT INTO decisions (id, trigger_id, time_ms, rule, result, body) VALUES (?, ?, ?, ?, ?, ?)");
  db.transaction(() => {
    for (const one of events) {
      const service = "service" in one.facts ? one.facts.service : null;
      event.run(one.id, one.id.slice(0, 8), one.time_ms, one.boot_ms, one.kind, service, JSON.stringify(one));
    }
    for (const one of decisions) decision.run(one.id, one.trigger.id, one.time_ms, one.rule, one.outcome.result, JSON.stringify(one));
  })();
}
