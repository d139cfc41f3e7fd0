/**
 * Calls that are taken back unless somebody confirms them in time: a firewall or an address that locks people out brings
 * itself back. Durable before the change is made, so that a restart or a power cut does not keep what nobody confirmed.
 */

import type Sqlite from "better-sqlite3";

/** broker.db */
export const confirmations_schema = `CREATE TABLE unconfirmed_calls
  (call TEXT PRIMARY KEY, deadline_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

/** Milliseconds between two looks at the clock, which may be set meanwhile. */
const look_ms_max = 5000;
const retry_ms = 10_000;

interface ConfirmationPorts {
  now_ms(): number;
  /** Takes a call back. @throws when that failed: it is tried again */
  takeBack(call: string): Promise<void>;
  readonly onProblem: (what: string) => void;
}

export class Confirmations {
  readonly #db: Sqlite.Database;
  readonly #ports: ConfirmationPorts;
  readonly #deadline: Sqlite.Statement<[string], { deadline_ms: number }>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running = false;

  constructor(db: Sqlite.Database, ports: ConfirmationPorts) {
    this.#db = db;
    this.#ports = ports;
    this.#deadline = db.prepare("SELECT deadline_ms FROM unconfirmed_calls WHERE call = ?");
  }

  /** Durable when it returns. */
  await(call: string, deadline_ms: number): void {
    this.#db.prepare("INSERT OR REPLACE INTO unconfirmed_calls VALUES (?, ?)").run(call, deadline_ms);
    this.#plan();
  }

  /** @returns false when it does not wait for that (any more) */
  confirm(call: string): boolean {
    return this.#db.prepare("DELETE FROM unconfirmed_calls WHERE call = ?").run(call).changes > 0;
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
    const next = this.#db.prepare<[], { at: number | null }>("SELECT min(deadline_ms) AS at FROM unconfirmed_calls").get()?.at ?? null;
    if (next === null) return;
    const wait_ms = Math.max(wait_ms_min, Math.min(look_ms_max, next - this.#ports.now_ms()));
    this.#timer = setTimeout(() => void this.#takeBackLate(), Math.max(0, wait_ms));
  }

  async #takeBackLate(): Promise<void> {
    const late = this.#db
      .prepare<[number], { call: string }>("SELECT call FROM unconfirmed_calls WHERE deadline_ms <= ? ORDER BY deadline_ms DESC")
      .all(this.#ports.now_ms());
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
    this.#plan(failed ? retry_ms : 0);
  }
}
