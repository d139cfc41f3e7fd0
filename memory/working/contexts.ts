/** What each tier keeps in mind from one decision to the next: small, the newest version only, the tier's own. */

import type Sqlite from "better-sqlite3";
import { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { ContextOf } from "../../contracts/memory/working/leases.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";

interface Row {
  readonly version: number;
  readonly changed_ms: number;
  readonly body: string;
}

export class Contexts {
  readonly #get: Sqlite.Statement<[string], Row>;
  readonly #put: Sqlite.Statement<[string, number, number, string]>;

  constructor(db: Sqlite.Database) {
    this.#get = db.prepare("SELECT version, changed_ms, body FROM contexts WHERE tier = ?");
    this.#put = db.prepare(
      `INSERT INTO contexts (tier, version, changed_ms, body) VALUES (?, ?, ?, ?)
       ON CONFLICT (tier) DO UPDATE SET version = excluded.version, changed_ms = excluded.changed_ms, body = excluded.body`,
    );
  }

  of(tier: ContextOf["tier"]): ContextOf {
    const row = this.#get.get(tier);
    if (row === undefined) return { tier, version: 0, changed_ms: null, body: {} };
    return { tier, version: row.version, changed_ms: row.changed_ms, body: JsonObject.parse(JSON.parse(row.body)) };
  }

  /** @returns the new version. @throws {RpcError} when another has been kept since */
  put(tier: ContextOf["tier"], seen: number, body: JsonObject, time_ms: number): number {
    const { version } = this.of(tier);
    if (version !== seen) {
      throw new RpcError(
        rpc_error.conflict,
        `keeping the context of "${tier}" failed: version ${seen} was seen and it is at ${version}; read it again`,
      );
    }
    this.#put.run(tier, version + 1, time_ms, JSON.stringify(body));
    return version + 1;
  }
}
