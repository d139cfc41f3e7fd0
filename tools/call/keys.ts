/** Keys that callers give to their calls, so that one that is sent twice (after a crash, a lost answer) is made once. */

import type Sqlite from "better-sqlite3";
import type { Principal } from "../../contracts/tool.ts";

/** broker.db */
export const keys_schema = `CREATE TABLE call_keys
  (principal TEXT NOT NULL, key TEXT NOT NULL, call TEXT NOT NULL, digest TEXT NOT NULL, time_ms INTEGER NOT NULL,
   PRIMARY KEY (principal, key)) STRICT, WITHOUT ROWID`;

/** Keys are kept so long; a call that is repeated later is another call. */
const kept_ms = 7 * 24 * 3_600_000;

export class Keys {
  readonly #find: Sqlite.Statement<[string, string], { call: string; digest: string }>;
  readonly #keep: Sqlite.Statement<[string, string, string, string, number]>;
  readonly #forget: Sqlite.Statement<[number]>;

  constructor(db: Sqlite.Database) {
    this.#find = db.prepare("SELECT call, digest FROM call_keys WHERE principal = ? AND key = ?");
    this.#keep = db.prepare("INSERT INTO call_keys VALUES (?, ?, ?, ?, ?)");
    this.#forget = db.prepare("DELETE FROM call_keys WHERE time_ms < ?");
  }

  /** The call that had this key first, with a digest of what it asked for; null when this is the first. Durable. */
  claim(
    principal: Principal,
    key: string,
    call: string,
    digest: string,
    now_ms: number,
  ): { readonly call: string; readonly digest: string } | null {
    const found = this.#find.get(principal, key);
    if (found !== undefined) return found;
    this.#forget.run(now_ms - kept_ms);
    this.#keep.run(principal, key, call, digest, now_ms);
    return null;
  }
}
