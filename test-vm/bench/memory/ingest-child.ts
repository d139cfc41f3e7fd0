/** Measures the writing alone in this process, and FTS5 alone, and prints a line of JSON for each (ingest.ts). */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { history_methods } from "../../../contracts/memory/history.ts";
import { GroupCommit } from "../../../memory/group-commit.ts";
import { Keeper } from "../../../memory/keeper.ts";
import { memoryOfEvent } from "../../../memory/longterm/of-history.ts";
import { loadNative } from "../../../wire/native.ts";
import { batch_events, batches_at_once, events_total, type Measured } from "./ingest.ts";
import { batchesOf, type EventSet, sendAll } from "./ingest-events.ts";

async function ours(set: EventSet): Promise<void> {
  const folder = mkdtempSync("/var/tmp/aios-bench-ingest-");
  const keeper = new Keeper(folder);
  const failed = (error: unknown): void => {
    throw error;
  };
  const commit = new GroupCommit({ parts: () => keeper.parts, onWritten: () => {}, onFailed: failed });
  const bodies = batchesOf(set, events_total, batch_events).map((events) => JSON.stringify({ events }));
  await measured(set, () =>
    sendAll(bodies, batches_at_once, async (body) => {
      const { events } = history_methods["events.append"].params.parse(JSON.parse(body));
      await commit.append({ events, decisions: [] });
    }),
  );
  keeper.close();
  rmSync(folder, { recursive: true });
}

async function ftsAlone(): Promise<void> {
  const folder = mkdtempSync("/var/tmp/aios-bench-ingest-");
  const db: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(join(folder, "fts.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61')");
  const insert = db.prepare("INSERT INTO words (text) VALUES (?)");
  const batches = batchesOf("distinct", events_total, batch_events).map((events) => events.map((event) => memoryOfEvent(event).text));
  const write = db.transaction((texts: readonly string[]) => texts.forEach((text) => void insert.run(text)));
  await measured("fts", () => sendAll(batches, 1, async (texts) => write(texts)));
  db.close();
  rmSync(folder, { recursive: true });
}

async function measured(name: Measured["name"], work: () => Promise<number[]>): Promise<void> {
  const begin_ms = performance.now();
  const began = process.cpuUsage();
  const batch_ms = await work();
  const { user, system } = process.cpuUsage(began);
  const row: Measured = {
    name,
    per_s: (events_total * 1000) / (performance.now() - begin_ms),
    batch_ms,
    cpu_us: (user + system) / events_total,
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

await ours("repeating");
await ours("distinct");
await ftsAlone();
