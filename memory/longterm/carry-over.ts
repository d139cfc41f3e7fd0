/** Events and decisions of a schema that knew no memories become some, a batch at a time; how far it came is durable. */

import type Sqlite from "better-sqlite3";
import { Decision } from "../../contracts/decision.ts";
import { Event } from "../../contracts/event.ts";
import { memoryOfDecision, memoryOfEvent, type OfHistory } from "./of-history.ts";
import type { Rows } from "./rows.ts";

interface Left {
  readonly what: string;
  readonly upto: number;
  readonly done: number;
}
interface Row {
  readonly seq: number;
  readonly body: string;
}

/** A row that this version cannot read stays where it is and becomes no memory. */
const readers: Readonly<Record<string, (body: unknown) => OfHistory | null>> = {
  events(body) {
    const event = Event.safeParse(body);
    return event.success ? memoryOfEvent(event.data) : null;
  },
  decisions(body) {
    const decision = Decision.safeParse(body);
    return decision.success ? memoryOfDecision(decision.data) : null;
  },
};

/** Inside a transaction. @returns how many rows are left */
export function carryOver(db: Sqlite.Database, rows: Rows, limit: number): number {
  const left = db.prepare<[], Left>("SELECT what, upto, done FROM carry_over WHERE done < upto ORDER BY what DESC").all();
  for (const { what, upto, done } of left) {
    const read = Object.hasOwn(readers, what) ? readers[what] : undefined;
    if (read === undefined) continue;
    const batch = db.prepare<[number, number, number], Row>(
      `SELECT seq, body FROM ${what} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    );
    let last = upto;
    const taken = batch.all(done, upto, limit);
    for (const { seq, body } of taken) {
      const memory = read(JSON.parse(body));
      if (memory !== null) rows.putOfHistory(memory);
      last = seq;
    }
    if (taken.length < limit) last = upto;
    db.prepare("UPDATE carry_over SET done = ? WHERE what = ?").run(last, what);
    return left.reduce((sum, one) => sum + one.upto - one.done, 0) - (last - done);
  }
  return 0;
}
