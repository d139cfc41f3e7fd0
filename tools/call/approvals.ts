/**
 * Calls that wait for a person.
 *
 *   waiting → approved    a person said yes: exactly this call is made, once, if what it touches is still the same
 *           → declined    a person said no
 *           → expired     nobody said anything before the deadline: that is a no
 *           → withdrawn   the caller cancelled it, or it held secrets (which are not written down) and the broker restarted
 *
 * While it waits, what the strategic tier thinks of it is written to it, once. A row is never changed again once it has left `waiting`: an approval cannot be used twice, or for another call.
 */

import type Sqlite from "better-sqlite3";
import { z } from "zod";
import { Approval, isUnasked, type Opinion } from "../../contracts/permission.ts";
import type { Principal } from "../../contracts/tool.ts";
import { Request } from "./request.ts";
import { mayBeReviewed } from "./review.ts";

/** broker.db */
export const approvals_schema = `
  CREATE TABLE approvals
    (call TEXT PRIMARY KEY, state TEXT NOT NULL, asked_ms INTEGER NOT NULL, approval TEXT NOT NULL, request TEXT, digest TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE INDEX approvals_by_state ON approvals (state, asked_ms)`;

/** What is kept besides what people see. */
export interface Waiting {
  readonly approval: Approval;
  /** The call as it was asked; null once the broker has restarted, when it held secrets. */
  readonly request: Request | null;
  /** SHA-256 over what was shown to the person: when it differs later, something else would be done. */
  readonly digest: string;
}

interface Row {
  readonly approval: string;
  readonly request: string | null;
  readonly digest: string;
}

/** A person who lets a hundred calls wait will not read them. */
const waiting_max = 200;
const listed_max = 500;

export class Approvals {
  readonly #db: Sqlite.Database;
  /** Requests with secrets, which are never written down. */
  readonly #unwritten = new Map<string, Request>();

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  get full(): boolean {
    return this.#count() >= waiting_max;
  }

  /** @param secret the request holds secrets: it is kept in memory alone */
  ask(approval: Approval, request: Request, digest: string, secret: boolean): void {
    if (secret) this.#unwritten.set(approval.call, request);
    this.#db
      .prepare("INSERT INTO approvals VALUES (?, 'waiting', ?, ?, ?, ?)")
      .run(approval.call, approval.asked_ms, JSON.stringify(approval), secret ? null : JSON.stringify(request), digest);
  }

  get(call: string): Waiting | null {
    const row = this.#db.prepare<[string], Row>("SELECT approval, request, digest FROM approvals WHERE call = ?").get(call);
    if (row === undefined) return null;
    const request = row.request === null ? (this.#unwritten.get(call) ?? null) : Request.parse(JSON.parse(row.request));
    return { approval: Approval.parse(JSON.parse(row.approval)), request, digest: row.digest };
  }

  /** Leaves `waiting`, once. @returns the approval as it then is, or null when it was not waiting any more */
  decide(
    call: string,
    state: Exclude<Approval["state"], "waiting">,
    by: Principal | null,
    why: string | null,
    now_ms: number,
  ): Approval | null {
    return this.#db
      .transaction(() => {
        const found = this.get(call);
        if (found === null || found.approval.state !== "waiting") return null;
        const decided: Approval = { ...found.approval, state, decided_by: by, decided_ms: now_ms, decided_why: why };
        this.#db
          .prepare("UPDATE approvals SET state = ?, approval = ?, request = NULL WHERE call = ?")
          .run(state, JSON.stringify(decided), call);
        this.#unwritten.delete(call);
        return decided;
      })
      .immediate();
  }

  /** What is thought of it, once, while it waits; after "nobody could be asked" what somebody says. @returns null when it does not wait any more, or has been thought of */
  review(call: string, review: Opinion): Approval | null {
    return this.#db
      .transaction(() => {
        const found = this.get(call);
        if (found === null || found.approval.state !== "waiting" || !mayBeReviewed(found.approval)) return null;
        if (found.approval.review !== null && isUnasked(review)) return null;
        const reviewed: Approval = { ...found.approval, review };
        this.#db.prepare("UPDATE approvals SET approval = ? WHERE call = ?").run(JSON.stringify(reviewed), call);
        return reviewed;
      })
      .immediate();
  }

  /** Newest first. */
  list(all: boolean): Approval[] {
    const rows = this.#db
      .prepare<[number], { approval: string }>(
        `SELECT approval FROM approvals ${all ? "" : "WHERE state = 'waiting'"} ORDER BY asked_ms DESC LIMIT ?`,
      )
      .all(listed_max);
    return z.array(Approval).parse(rows.map((row) => JSON.parse(row.approval)));
  }

  #count(): number {
    return this.#db.prepare<[], { n: number }>("SELECT count(*) AS n FROM approvals WHERE state = 'waiting'").get()?.n ?? 0;
  }
}
