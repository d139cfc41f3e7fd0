/**
 * Grants, in broker.db. What is changed is durable when the call returns, and in force or out of force from then on.
 *
 * A grant ends by its time, by use, or by being revoked. By its time it is out of force at once; that it has ended is written down when
 * the clock has said so for a while, so that a clock that is set back does not bring it to life, and one that was wrong for a moment
 * (a battery clock, a time server) ends nothing for ever.
 */

import type Sqlite from "better-sqlite3";
import { z } from "zod";
import { Grant, Scope } from "../../contracts/permission.ts";
import type { Principal, Role } from "../../contracts/tool.ts";
import { ToolError } from "../tool.ts";
import type { GrantSource, HeldGrant } from "./engine.ts";

export interface NewGrant {
  /** The call that makes it: a call makes one grant. */
  readonly call: string;
  readonly principal: Principal;
  readonly scope: Scope;
  readonly reason: string;
  readonly granted_by: Principal;
  /** Of a person. */
  readonly granter_role: Role | null;
  readonly expires_ms: number;
}

interface Row {
  readonly number: number;
  readonly principal: string;
  readonly scope: string;
  readonly reason: string;
  readonly granted_by: string;
  readonly granter_role: Role | null;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly expired: number;
  readonly revoked_ms: number | null;
  readonly calls_max: number | null;
  readonly calls_used: number;
}

/** In force at a time: each is a policy, and a set that nobody can survey is no permission but a hole. */
const in_force_max = 1000;
const listed_max = 500;
const columns =
  "number, principal, scope, reason, granted_by, granter_role, created_ms, expires_ms, expired, revoked_ms, calls_max, calls_used";
const in_force = "revoked_ms IS NULL AND expired = 0 AND (calls_max IS NULL OR calls_used < calls_max)";

/** A time server puts a wrong clock right within minutes (chrony.conf(5): makestep; init/boot/clock.ts). */
export const settle_ms = 600_000;

export class Grants implements GrantSource {
  readonly #db: Sqlite.Database;
  readonly #steady_ms: () => number;
  /** In force. */
  #all: readonly HeldGrant[] = [];
  #by_principal = new Map<string, HeldGrant[]>();
  /** When the next of them ends. */
  #next_expiry_ms = 0;
  /** By number: out of force by the clock, and not written down yet. */
  readonly #over = new Map<number, { readonly expires_ms: number; readonly since_ms: number }>();

  /** @param steady_ms monotonic */
  constructor(db: Sqlite.Database, now_ms: number, steady_ms: () => number = () => performance.now()) {
    this.#db = db;
    this.#steady_ms = steady_ms;
    this.reload();
    this.expire(now_ms);
  }

  of(principal: Principal): readonly HeldGrant[] {
    return this.#by_principal.get(principal) ?? [];
  }

  /** Also those that the clock says are over: it may be wrong, and then they are in force again. */
  keptOf(principal: Principal): string[] {
    return this.#db
      .prepare<[Principal], { number: number }>(`SELECT number FROM grants WHERE principal = ? AND ${in_force} ORDER BY number`)
      .all(principal)
      .map(({ number }) => idOf(number));
  }

  all(): readonly HeldGrant[] {
    return this.#all;
  }

  /** @throws {ToolError} when there are too many, or its time is over before it begins */
  create(grant: NewGrant, now_ms: number): Grant {
    const about = `granting ${grant.scope.tools.join(", ")} to "${grant.principal}" failed`;
    if (grant.expires_ms <= now_ms) throw new ToolError(`${about}: its end would be in the past`);
    this.expire(now_ms);
    if (this.#all.length >= in_force_max) throw new ToolError(`${about}: ${in_force_max} grants are in force; revoke some first`);
    const { call, principal, scope, reason, granted_by, granter_role, expires_ms } = grant;
    const { lastInsertRowid } = this.#db
      .prepare(
        `INSERT INTO grants (call, principal, scope, reason, granted_by, granter_role, created_ms, expires_ms, calls_max)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(call, principal, JSON.stringify(scope), reason, granted_by, granter_role, Math.floor(now_ms), expires_ms, scope.calls_max);
    this.reload();
    return this.#must(idOf(Number(lastInsertRowid)));
  }

  get(id: string): Grant | null {
    const row = this.#row("number = ?", numberOf(id));
    return row === undefined ? null : this.#grantOf(row);
  }

  /** The grant that a call has made. */
  byCall(call: string): Grant | null {
    const row = this.#row("call = ?", call);
    return row === undefined ? null : this.#grantOf(row);
  }

  /** @returns false when it was revoked already. @throws {ToolError} when there is none */
  revoke(id: string, now_ms: number): boolean {
    this.#must(id);
    const { changes } = this.#db
      .prepare("UPDATE grants SET revoked_ms = ? WHERE number = ? AND revoked_ms IS NULL")
      .run(Math.floor(now_ms), numberOf(id));
    this.reload();
    return changes > 0;
  }

  /** Takes a revocation back. What has ended by time or use meanwhile stays ended. */
  restore(id: string): void {
    this.#must(id);
    this.#db.prepare("UPDATE grants SET revoked_ms = NULL WHERE number = ?").run(numberOf(id));
    this.reload();
  }

  /**
   * One call uses each of these up by one, all or none.
   * @throws {ToolError} when one of them is not good for another call: two calls wanted the last one
   */
  spend(ids: readonly string[], now_ms: number): void {
    this.expire(now_ms);
    this.#db
      .transaction(() => {
        for (const id of ids) {
          const number = numberOf(id);
          const spent = this.#db.prepare(`UPDATE grants SET calls_used = calls_used + 1 WHERE number = ? AND ${in_force}`).run(number);
          if (spent.changes === 0 || this.#over.has(number))
            throw new ToolError(`using "${id}" failed: it has been used up or has ended; ask for a new grant`);
        }
      })
      .immediate();
    this.reload();
  }

  /** Takes out of force whose time is over, and writes it down of those of which that has been so for a while. */
  expire(now_ms: number): void {
    if (now_ms < this.#next_expiry_ms && this.#over.size === 0) return;
    const steady_ms = this.#steady_ms();
    const over_again = [...this.#over].filter(([, { expires_ms }]) => now_ms < expires_ms);
    const ended = [...this.#over].filter(([, { expires_ms, since_ms }]) => expires_ms <= now_ms && steady_ms - since_ms >= settle_ms);
    const over = this.#all.filter(({ grant }) => grant.expires_ms <= now_ms);
    if (over_again.length + ended.length + over.length === 0) return;
    if (ended.length > 0) {
      const write = this.#db.prepare("UPDATE grants SET expired = 1 WHERE number = ?");
      this.#db.transaction(() => ended.map(([number]) => write.run(number))).immediate();
    }
    for (const [number] of [...over_again, ...ended]) this.#over.delete(number);
    for (const { grant } of over) this.#over.set(numberOf(grant.id), { expires_ms: grant.expires_ms, since_ms: steady_ms });
    this.reload();
  }

  /** Newest first. */
  list(all: boolean): Grant[] {
    const rows = this.#db
      .prepare<[number], Row>(`SELECT ${columns} FROM grants ${all ? "" : `WHERE ${in_force}`} ORDER BY number DESC LIMIT ?`)
      .all(listed_max);
    return rows.filter(({ number }) => all || !this.#over.has(number)).map((row) => this.#grantOf(row));
  }

  #must(id: string): Grant {
    const found = this.get(id);
    if (found === null) throw new ToolError(`looking for the grant "${id}" failed: there is none; aiosctl grants shows them`);
    return found;
  }

  #row(where: string, value: string | number): Row | undefined {
    return this.#db.prepare<[string | number], Row>(`SELECT ${columns} FROM grants WHERE ${where}`).get(value);
  }

  /** What is held in memory is then what is in the database. */
  reload(): void {
    const rows = this.#db.prepare<[], Row>(`SELECT ${columns} FROM grants WHERE ${in_force} ORDER BY number`).all();
    const there = new Set(rows.map(({ number }) => number));
    for (const number of this.#over.keys()) if (!there.has(number)) this.#over.delete(number);
    this.#all = rows
      .filter(({ number }) => !this.#over.has(number))
      .map((row) => ({ grant: this.#grantOf(row), granter_role: row.granter_role }));
    this.#by_principal = new Map();
    for (const held of this.#all) {
      const { principal } = held.grant;
      this.#by_principal.set(principal, [...(this.#by_principal.get(principal) ?? []), held]);
    }
    this.#next_expiry_ms = this.#all.reduce((next, { grant }) => Math.min(next, grant.expires_ms), Number.POSITIVE_INFINITY);
  }

  #grantOf(row: Row): Grant {
    const { number, principal, reason, granted_by, created_ms, expires_ms, revoked_ms, calls_used } = row;
    const scope = StoredScope.parse(row.scope);
    const state = stateOf(row, this.#over.has(number));
    return Grant.parse({ id: idOf(number), principal, scope, reason, granted_by, created_ms, expires_ms, revoked_ms, calls_used, state });
  }
}

function idOf(number: number): string {
  return `grant-${number}`;
}

function numberOf(id: string): number {
  return Number(id.slice("grant-".length));
}

const StoredScope = z.string().transform((text) => Scope.parse(JSON.parse(text)));

/** @param is_over by the clock, and not written down yet */
function stateOf({ revoked_ms, calls_max, calls_used, expired }: Row, is_over: boolean): Grant["state"] {
  if (revoked_ms !== null) return "revoked";
  if (calls_max !== null && calls_used >= calls_max) return "used-up";
  return expired === 1 || is_over ? "expired" : "active";
}
