/** The alarms that stand, kept in the transaction that writes their events. */

import type Sqlite from "better-sqlite3";
import type { EventOf } from "../../contracts/event.ts";

type AlarmEvent = EventOf<"alarm.changed">;
type Named = readonly [boot: string, alarm: string, subject: string];

const page_rows = 500;

export class StandingAlarms {
  readonly #raise: Sqlite.Statement<[...Named, string, number, number]>;
  readonly #clear: Sqlite.Statement<[...Named, number]>;
  readonly #forget: Sqlite.Statement<{ boot: string; time_ms: number }>;
  readonly #page: Sqlite.Statement<{ boot: string; after: string | null }, { id: string; body: string }>;

  constructor(db: Sqlite.Database) {
    // told twice or late, an older change says nothing
    this.#raise = db.prepare(
      `INSERT INTO standing_alarms (boot, alarm, subject, event, time_ms, boot_ms) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (boot, alarm, subject) DO UPDATE SET event = excluded.event, time_ms = excluded.time_ms, boot_ms = excluded.boot_ms
       WHERE excluded.boot_ms > boot_ms`,
    );
    this.#clear = db.prepare("DELETE FROM standing_alarms WHERE boot = ? AND alarm = ? AND subject = ? AND boot_ms <= ?");
    this.#forget = db.prepare(
      `DELETE FROM standing_alarms WHERE boot <> @boot AND time_ms < @time_ms
       AND NOT EXISTS (SELECT 1 FROM standing_alarms WHERE boot = @boot)`,
    );
    this.#page = db.prepare(
      `SELECT e.id, e.body FROM standing_alarms s JOIN events e ON e.id = s.event
       WHERE s.boot = @boot AND s.seq > coalesce((SELECT seq FROM standing_alarms WHERE event = @after), -1) ORDER BY s.seq LIMIT ${page_rows}`,
    );
  }

  take({ id, time_ms, boot_ms, facts: { alarm, subject, raised } }: AlarmEvent, boot: string): void {
    if (!raised) {
      this.#clear.run(boot, alarm, subject, boot_ms);
      return;
    }
    this.#forget.run({ boot, time_ms }); // those of earlier boots, with the first of this one
    this.#raise.run(boot, alarm, subject, id, time_ms, boot_ms);
  }

  /** @param after the last of the page before */
  rows(boot: string, after: string | null): { id: string; body: string }[] {
    return this.#page.all({ boot, after });
  }
}
