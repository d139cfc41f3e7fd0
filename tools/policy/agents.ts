/**
 * Agents, in broker.db: named callers that a tier makes for a task, each with a lease. When an agent ends, its grants end
 * with it. A name is used again only by whoever had it before, for things may still be owned by it.
 */

import type Sqlite from "better-sqlite3";
import { Agent } from "../../contracts/permission.ts";
import type { Principal } from "../../contracts/tool.ts";
import { ToolError } from "../tool.ts";
import type { AgentSource } from "./engine.ts";
import type { Grants } from "./grants.ts";

interface NewAgent {
  /** The call that makes it. */
  readonly call: string;
  readonly name: string;
  readonly task: string;
  readonly owner: Principal;
  readonly expires_ms: number;
}

/** With the call that made it, which is unlike any other's. */
interface HeldAgent extends Agent {
  readonly call: string;
}

const alive_max = 100;
const columns = "call, name, task, owner, created_ms, expires_ms, ended_ms";

export class Agents implements AgentSource {
  readonly #db: Sqlite.Database;
  readonly #grants: Grants;
  #alive = new Map<string, HeldAgent>();

  constructor(db: Sqlite.Database, grants: Grants, now_ms: number) {
    this.#db = db;
    this.#grants = grants;
    this.#load();
    this.expire(now_ms);
  }

  isAlive(name: string, owner: Principal, now_ms: number): boolean {
    const agent = this.#alive.get(name);
    return agent !== undefined && agent.owner === owner && now_ms < agent.expires_ms;
  }

  /** One that lives. */
  get(name: string, now_ms: number): HeldAgent | null {
    this.expire(now_ms);
    return this.#alive.get(name) ?? null;
  }

  list(): Agent[] {
    return [...this.#alive.values()].map(({ call: _, ...agent }) => agent);
  }

  /** @throws {ToolError} when the name is taken, or another's */
  lease(agent: NewAgent, now_ms: number): HeldAgent {
    const { call, name, owner, task, expires_ms } = agent;
    const about = `making the agent "${name}" failed`;
    this.expire(now_ms);
    if (this.#alive.has(name)) throw new ToolError(`${about}: there is one of this name; choose another name, or end it with sec.release`);
    const former = this.#db
      .prepare<[string, string], HeldAgent>(`SELECT ${columns} FROM agents WHERE name = ? AND owner <> ?`)
      .get(name, owner);
    if (former !== undefined)
      throw new ToolError(`${about}: "${former.owner}" has used this name, and may still own things by it; choose another`);
    if (this.#alive.size >= alive_max) throw new ToolError(`${about}: there are ${alive_max} agents; end some with sec.release`);
    if (expires_ms <= now_ms) throw new ToolError(`${about}: its lease would have ended already`);
    this.#db
      .prepare("INSERT INTO agents (call, name, owner, task, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)")
      .run(call, name, owner, task, Math.floor(now_ms), expires_ms);
    this.#load();
    return this.#must(name);
  }

  /** The name of the agent that a call has made. */
  byCall(call: string): string | null {
    return this.#db.prepare<[string], { name: string }>("SELECT name FROM agents WHERE call = ?").get(call)?.name ?? null;
  }

  /**
   * Ends it and revokes its grants, in one.
   * @returns the grants that were revoked by that. @throws {ToolError} when there is none
   */
  release(name: string, now_ms: number): string[] {
    this.#must(name);
    const grants = this.#grants.keptOf(`agent:${name}`);
    this.#atOnce(() => {
      this.#db.prepare("UPDATE agents SET ended_ms = ? WHERE name = ? AND ended_ms IS NULL").run(Math.floor(now_ms), name);
      for (const id of grants) this.#grants.revoke(id, now_ms);
    });
    return grants;
  }

  /**
   * Takes a release back. Its lease still ends when it was to end.
   * @throws {ToolError} when its name has been taken meanwhile
   */
  restore(name: string, call: string, grants: readonly string[]): void {
    const now = this.#alive.get(name);
    if (now !== undefined && now.call !== call)
      throw new ToolError(`bringing the agent "${name}" back failed: there is another of this name; end that one first`);
    this.#atOnce(() => {
      this.#db.prepare("UPDATE agents SET ended_ms = NULL WHERE call = ?").run(call);
      for (const id of grants) this.#grants.restore(id);
    });
  }

  /** Whether the lease of the agent that a call made is over. */
  isOver(call: string, now_ms: number): boolean {
    const row = this.#db.prepare<[string], { expires_ms: number }>("SELECT expires_ms FROM agents WHERE call = ?").get(call);
    return row === undefined || row.expires_ms <= now_ms;
  }

  /** Ends those whose lease is over. */
  expire(now_ms: number): void {
    for (const { name, expires_ms } of this.#alive.values()) if (expires_ms <= now_ms) this.release(name, now_ms);
  }

  /** All or nothing, and what is held in memory is then what is in the database, whatever happened. */
  #atOnce(change: () => void): void {
    try {
      this.#db.transaction(change).immediate();
    } finally {
      this.#grants.reload();
      this.#load();
    }
  }

  #must(name: string): HeldAgent {
    const found = this.#alive.get(name);
    if (found === undefined)
      throw new ToolError(`looking for the agent "${name}" failed: there is none whose lease lasts; make one with sec.lease`);
    return found;
  }

  #load(): void {
    const rows = this.#db.prepare<[], HeldAgent>(`SELECT ${columns} FROM agents WHERE ended_ms IS NULL ORDER BY number`).all();
    this.#alive = new Map(rows.map(({ call, ...agent }) => [agent.name, { ...Agent.parse(agent), call }]));
  }
}
