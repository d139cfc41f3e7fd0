/**
 * Calls that are taken back unless somebody confirms them in time: a firewall or an address that locks people out brings
 * itself back. Durable before the change is made, so that a restart or a power cut does not keep what nobody confirmed.
 */

import type Sqlite from "better-sqlite3";
import { confirm_within_s_max } from "../../contracts/tool.ts";
import type { Clock } from "../context.ts";
import { Deadlines } from "../deadlines.ts";

/** broker.db */
export const confirmations_schema = `CREATE TABLE unconfirmed_calls
  (call TEXT PRIMARY KEY, deadline_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

/** After a failure; it doubles up to the longest. */
const retry_ms = 10_000;
const retry_ms_max = 600_000;

interface ConfirmationPorts {
  readonly clock: Clock;
  /** Takes a call back. @throws when that failed: it is tried again */
  takeBack(call: string): Promise<void>;
  readonly onProblem: (what: string) => void;
}

export class Confirmations {
  readonly #db: Sqlite.Database;
  readonly #ports: ConfirmationPorts;
  readonly #deadlines: Deadlines;
  readonly #deadline: Sqlite.Statement<[string], { deadline_ms: number }>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running = false;
  #retry_ms = retry_ms;

  constructor(db: Sqlite.Database, ports: ConfirmationPorts) {
    this.#db = db;
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.clock, confirm_within_s_max * 1000);
    this.#deadline = db.prepare("SELECT deadline_ms FROM unconfirmed_calls WHERE call = ?");
  }

  /** Durable when it returns. */
  await(call: string, within_s: number): void {
    const deadline_ms = this.#ports.clock.now_ms() + within_s * 1000;
    this.#deadlines.forget(call);
    this.#deadlines.left(call, deadline_ms);
    this.#db.prepare("INSERT OR REPLACE INTO unconfirmed_calls VALUES (?, ?)").run(call, deadline_ms);
    this.#plan();
  }

  /** @returns false when it does not wait for that (any more) */
  confirm(call: string): boolean {
    this.#deadlines.forget(call);
    return this.#db.prepare("DELETE FROM unconfirmed_calls WHERE call = ?").run(call).changes > 0;
  }

  /** Calls that wait to be confirmed. */
  waiting(): string[] {
    return this.#unconfirmed().map(({ call }) => call);
  }

  /** When the call is taken back unless it is confirmed, or null. */
  deadlineOf(call: string): number | null {
    return this.#deadline.get(call)?.deadline_ms ?? null;
  }

  /** From now on calls whose time is over are taken back. */
  start(): void {
    this.#running = true;
    this.#plan();
  }

  stop(): void {
    this.#running = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #plan(wait_ms_min = 0): void {
    if (!this.#running) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const first = this.#unconfirmed()[0];
    if (first !== undefined) this.#timer = setTimeout(() => void this.#takeBackLate(), Math.max(wait_ms_min, first.left_ms));
  }

  /** What is due first comes first; of what is due already, what was made last. */
  #unconfirmed(): { call: string; left_ms: number }[] {
    return this.#db
      .prepare<[], { call: string; deadline_ms: number }>("SELECT call, deadline_ms FROM unconfirmed_calls ORDER BY deadline_ms DESC")
      .all()
      .map(({ call, deadline_ms }) => ({ call, left_ms: this.#deadlines.left(call, deadline_ms) }))
      .sort((a, b) => a.left_ms - b.left_ms);
  }

  async #takeBackLate(): Promise<void> {
    const late = this.#unconfirmed().filter(({ left_ms }) => left_ms === 0);
    let failed = false;
    for (const { call } of late) {
      try {
        await this.#ports.takeBack(call);
        this.confirm(call);
      } catch (error) {
        failed = true;
        this.#ports.onProblem(
          `taking back "${call}", which nobody confirmed, failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    this.#plan(failed ? this.#retry_ms : 0);
    this.#retry_ms = failed ? Math.min(2 * this.#retry_ms, retry_ms_max) : retry_ms;
  }
}
