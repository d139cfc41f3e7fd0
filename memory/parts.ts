/** The parts of memory that live in the database. A part is a class over an open database; its handlers are beside it. */

import type Sqlite from "better-sqlite3";
import type { Decision } from "../contracts/decision.ts";
import type { Event } from "../contracts/event.ts";
import { Classifiers } from "./classifier/classifiers.ts";
import { Documents } from "./knowledge/documents.ts";
import { Outcomes } from "./learning/outcomes.ts";
import { Overrides } from "./learning/overrides.ts";
import { LongTerm } from "./longterm/longterm.ts";
import { RecentLog } from "./operational/recent-log.ts";
import { Retention } from "./retention/retention.ts";
import { Store } from "./store/store.ts";
import { Templates } from "./templates/templates.ts";
import { UpkeepRows } from "./upkeep/rows.ts";
import { Cold } from "./upkeep/segments/cold.ts";
import { Working } from "./working/working.ts";

export interface Parts {
  /** Events and decisions as they came. */
  readonly store: Store;
  /** The last hour of it, to be read again at a start. */
  readonly recent_log: RecentLog;
  /** Goals, tasks, plans, incidents, leases. */
  readonly working: Working;
  /** What was moved out of the database. */
  readonly cold: Cold;
  /** What the lines of logs have in common. */
  readonly templates: Templates;
  /** Which segments there are. */
  readonly upkeep: UpkeepRows;
  /** What the system knows. */
  readonly documents: Documents;
  /** What came of decisions about alarms. */
  readonly outcomes: Outcomes;
  /** What people said against decisions. */
  readonly overrides: Overrides;
  /** Of triage, trained on that. */
  readonly classifiers: Classifiers;
  /** What may be deleted, and what was. */
  readonly retention: Retention;
  /** Everything, found by meaning and by word. */
  readonly longterm: LongTerm;
}

/** @param folder memory's: the database is elsewhere while that cannot be written */
export function assemble(db: Sqlite.Database, folder: string): Parts {
  const cold = new Cold(db, folder);
  const longterm = new LongTerm(db, cold);
  const outcomes = new Outcomes(db);
  const overrides = new Overrides(db);
  const amended = (decision: Decision): Decision => overrides.amended(decision);
  const witness = {
    event: (event: Event) => longterm.event(event),
    decision(decision: Decision) {
      longterm.decision(decision);
      outcomes.put(decision);
    },
    committed: () => longterm.committed(),
    rolledBack: () => longterm.rolledBack(),
  };
  const store = new Store(db, (id) => cold.bodyOf(id), witness, amended);
  return {
    store,
    recent_log: new RecentLog(db, amended),
    working: new Working(db),
    cold,
    upkeep: new UpkeepRows(db, folder),
    templates: new Templates(db),
    documents: new Documents(db),
    outcomes,
    overrides,
    classifiers: new Classifiers(db),
    retention: new Retention(db),
    longterm,
  };
}
