/** Working memory as a part over the database: its rows, its leases, what tiers keep in mind, and its transactions. */

import type Sqlite from "better-sqlite3";
import type { WorkDone } from "../../contracts/memory/working/changes.ts";
import { working_methods } from "../../contracts/memory/working.ts";
import { type ChangeRequest, type Changer, Transaction } from "./change.ts";
import { Contexts } from "./contexts.ts";
import { Items } from "./items.ts";
import { Leases, type Moment } from "./leases.ts";

const Answer = working_methods["work.change"].result;

export class Working {
  readonly items: Items;
  readonly leases: Leases;
  readonly contexts: Contexts;
  readonly #answer: Sqlite.Statement<[string, string], { answer: string }>;
  readonly #answered: Sqlite.Statement<[string, string, string]>;

  constructor(db: Sqlite.Database) {
    this.items = new Items(db);
    this.leases = new Leases(db);
    this.contexts = new Contexts(db);
    this.#answer = db.prepare("SELECT answer FROM work_requests WHERE caller = ? AND request = ?");
    this.#answered = db.prepare("INSERT INTO work_requests (caller, request, answer) VALUES (?, ?, ?)");
  }

  /** Runs inside the caller's transaction, which has to fail when this throws. @returns what was done, and the roots of it */
  change(by: Changer, request: ChangeRequest, now: Moment): { done: WorkDone[]; touched: readonly string[] } {
    const before = request.request === undefined ? undefined : this.#answer.get(by.caller, request.request);
    if (before !== undefined) return { done: Answer.parse(JSON.parse(before.answer)).done, touched: [] };
    const transaction = new Transaction(this.items, this.leases, by, request, now);
    const done = transaction.run();
    if (request.request !== undefined) this.#answered.run(by.caller, request.request, JSON.stringify({ done }));
    return { done, touched: [...transaction.touched] };
  }
}
