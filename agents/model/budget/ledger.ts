/**
 * What was spent, in a file that outlives kills and power cuts (SQLite, synchronous). A request's highest cost is written before
 * the request is sent, and put right when its real cost is known: whoever is killed in between has spent the highest.
 *
 * Its clock only goes while the system runs: by the boot clock, which nobody can set. Between two boots nothing passes but what the
 * boot clock of the second shows. So no wrong or set wall clock frees a budget; a machine that was off has what it had.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { describe, inspect, moveAside, openFile, outlivesPower } from "../../../wire/database.ts";

const ledger_file = {
  file: "budget.db",
  what: "a record of spending",
  application_id: 0x61694f24, // "aiO$" in ASCII
  migrations: [
    `CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL, boot TEXT NOT NULL, boot_ms INTEGER NOT NULL) STRICT;
     CREATE TABLE spent (
       id INTEGER PRIMARY KEY,
       at_ms INTEGER NOT NULL,
       what TEXT NOT NULL,
       incident TEXT,
       open INTEGER NOT NULL,
       nano_usd INTEGER NOT NULL,
       tokens INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX spent_at ON spent (at_ms);
     CREATE TABLE incident (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, nano_usd INTEGER NOT NULL, tokens INTEGER NOT NULL) STRICT;`,
  ],
} as const;

/** Longer than the longest window. */
const kept_ms = 48 * 3_600_000;
/** An incident that nothing was spent on for so long is over. */
const incident_kept_ms = 90 * 24 * 3_600_000;
const nano = 1_000_000_000;

export interface Amount {
  /** US dollars. */
  readonly usd: number;
  readonly tokens: number;
}

export interface Entry extends Amount {
  readonly at_ms: number;
}

export interface Boot {
  readonly id: string;
  /** Milliseconds since it; never goes back. */
  readonly clock: () => number;
}

interface Row {
  readonly at_ms: number;
  readonly nano_usd: number;
  readonly tokens: number;
}

/** A disk that is full, or read-only, ends nobody: nothing can be spent while the record cannot be written (Budget). */
export function keepTime(ledger: Pick<Ledger, "tick"> | null, warn: (sentence: string) => void): void {
  try {
    ledger?.tick();
  } catch (error) {
    warn(`writing down the time in the record of spending failed: ${describe(error)}; it is tried again, and nothing is spent until then`);
  }
}

export class Ledger {
  readonly #db: Sqlite.Database;
  readonly #boot: Boot;
  /** What was found damaged, in words, or null. */
  readonly damage: string | null;
  /** What is written outlives the power. */
  readonly persistent: boolean;

  /** @throws when the file cannot be written: then nothing may be spent */
  constructor(folder: string, boot: Boot) {
    const path = join(folder, ledger_file.file);
    this.#boot = boot;
    try {
      mkdirSync(folder, { recursive: true });
      const damage = inspect(path, ledger_file);
      this.damage = damage === null ? null : `${damage}; it is kept as "${moveAside(path, new Date())}"`;
      this.#db = openFile(path, ledger_file);
      this.persistent = outlivesPower(folder);
    } catch (error) {
      throw new Error(`opening the record of spending "${path}" failed: ${describe(error)}; look after the data partition`);
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Milliseconds of running, over all boots. */
  now(): number {
    const last = this.#db.prepare<[], { at_ms: number; boot: string; boot_ms: number }>("SELECT at_ms, boot, boot_ms FROM clock").get();
    const boot_ms = Math.floor(this.#boot.clock());
    if (last === undefined) return boot_ms;
    return last.at_ms + (last.boot === this.#boot.id ? Math.max(boot_ms - last.boot_ms, 0) : boot_ms);
  }

  /** Keeps the time that has passed: what is not kept when the system goes down has not passed. */
  tick(): void {
    this.#transaction(() => {});
  }

  /**
   * Enters an amount when `allow` does not object; durable when this returns.
   * @throws what `allow` throws; then nothing was entered
   */
  reserve(what: string, incident: string | null, { usd, tokens }: Amount, allow: (now_ms: number) => void): number {
    return this.#transaction((now_ms) => {
      allow(now_ms);
      const cost = Math.ceil(usd * nano);
      const { lastInsertRowid } = this.#db
        .prepare("INSERT INTO spent (at_ms, what, incident, open, nano_usd, tokens) VALUES (?, ?, ?, 1, ?, ?)")
        .run(now_ms, what, incident, cost, tokens);
      this.#charge(incident, now_ms, cost, tokens);
      return Number(lastInsertRowid);
    });
  }

  /** What it came to in truth; the second time it is too late. */
  settle(id: number, { usd, tokens }: Amount): void {
    this.#transaction((now_ms) => {
      const row = this.#db
        .prepare<[number], Row & { incident: string | null }>(
          "SELECT at_ms, incident, nano_usd, tokens FROM spent WHERE id = ? AND open = 1",
        )
        .get(id);
      if (row === undefined) return;
      const cost = Math.ceil(usd * nano);
      this.#db.prepare("UPDATE spent SET open = 0, nano_usd = ?, tokens = ? WHERE id = ?").run(cost, tokens, id);
      this.#charge(row.incident, now_ms, cost - row.nano_usd, tokens - row.tokens);
    });
  }

  /** Entries since then, oldest first. */
  since(at_ms: number): Entry[] {
    return this.#db
      .prepare<[number], Row>("SELECT at_ms, nano_usd, tokens FROM spent WHERE at_ms > ? ORDER BY at_ms, id")
      .all(at_ms)
      .map((row) => ({ at_ms: row.at_ms, usd: row.nano_usd / nano, tokens: row.tokens }));
  }

  ofIncident(name: string): Amount {
    const row = this.#db.prepare<[string], Row>("SELECT at_ms, nano_usd, tokens FROM incident WHERE name = ?").get(name);
    return row === undefined ? { usd: 0, tokens: 0 } : { usd: row.nano_usd / nano, tokens: row.tokens };
  }

  #charge(incident: string | null, now_ms: number, nano_usd: number, tokens: number): void {
    if (incident === null) return;
    this.#db
      .prepare(
        `INSERT INTO incident (name, at_ms, nano_usd, tokens) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms, nano_usd = nano_usd + excluded.nano_usd, tokens = tokens + excluded.tokens`,
      )
      .run(incident, now_ms, nano_usd, tokens);
  }

  #transaction<T>(work: (now_ms: number) => T): T {
    return this.#db
      .transaction(() => {
        const now_ms = this.now();
        this.#db.prepare("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?)").run(now_ms, this.#boot.id, Math.floor(this.#boot.clock()));
        this.#db.prepare("DELETE FROM spent WHERE at_ms < ?").run(now_ms - kept_ms);
        this.#db.prepare("DELETE FROM incident WHERE at_ms < ?").run(now_ms - incident_kept_ms);
        return work(now_ms);
      })
      .immediate();
  }
}
