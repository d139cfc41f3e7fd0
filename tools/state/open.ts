/**
 * Opens broker.db: what the broker knows besides the audit (grants, approvals, keys of calls, values of tools). Every
 * write is durable when it returns.
 *
 * A file that is damaged or from a later version is not used and not touched: the broker then changes nothing until a
 * person has looked.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { type DatabaseKind, inspect, openFile, openInRam } from "../../wire/database.ts";

/** @param migrations SQL, only ever added to */
export function stateKind(migrations: readonly string[]): DatabaseKind {
  return { file: "broker.db", what: "a broker's state", application_id: 0x61694f62, migrations };
}

interface OpenState {
  readonly db: Sqlite.Database;
  /** Why nothing that is written there is kept, and what to do; or null. */
  readonly degradation: string | null;
}

export function openState(folder: string, kind: DatabaseKind): OpenState {
  const path = join(folder, kind.file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const damage = inspect(path, kind);
    if (damage !== null) throw new Error(damage);
    return { db: openFile(path, kind), degradation: null };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      db: openInRam(kind),
      degradation: `opening "${path}" failed: ${why}; move the file away to begin anew without its grants and approvals`,
    };
  }
}
