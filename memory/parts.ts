/** The parts of memory that live in the database. A part is a class over an open database; its handlers are beside it. */

import type Sqlite from "better-sqlite3";
import { RecentLog } from "./operational/recent-log.ts";
import { Store } from "./store/store.ts";

export interface Parts {
  /** Events and decisions as they came. */
  readonly store: Store;
  /** The last hour of it, to be read again at a start. */
  readonly recent_log: RecentLog;
}

export function assemble(db: Sqlite.Database): Parts {
  return { store: new Store(db), recent_log: new RecentLog(db) };
}
