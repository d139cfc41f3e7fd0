/** Measures ingest in this process and prints a line of JSON for each row (ingest.ts). */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Event } from "../../../contracts/event.ts";
import { history_methods } from "../../../contracts/memory/history.ts";
import { GroupCommit } from "../../../memory/group-commit.ts";
import { Keeper } from "../../../memory/keeper.ts";
import { memoryOfEvent } from "../../../memory/longterm/of-history.ts";
import { loadNative } from "../../../wire/native.ts";
import { batch_events, fts_alone } from "./ingest.ts";

const events_total = 60_000;
/** Batches that are under way at once, as several callers have them: one flush serves all of them. */
const at_once = 4;

const services = ["nginx", "postgres", "console", "broker", "sshd", "chronyd", "redis", "mail"];

/** As they come in practice: few kinds of things, again and again. */
function repeating(n: number): Event {
  return {
    ...basics(n),
    severity: n % 7 === 0 ? "error" : "info",
    kind: "service.state",
    facts: { service: services[n % 8] ?? "nginx", from: "starting", to: n % 7 === 0 ? "backoff" : "ready", reason: `attempt ${n % 50}` },
  };
}

/** The worst: every line is another text. */
function distinct(n: number): Event {
  return {
    ...basics(n),
    severity: "warning",
    kind: "kernel.log",
    facts: { priority: 4, sequence: n, at_us: n * 1000 },
    untrusted: `nf_conntrack: table ${n} full in ${services[n % 8]}, dropping packet ${n * 7919} of 10.${n % 256}.0.9`,
  };
}

function basics(n: number): { id: string; time_ms: number; boot_ms: number; source: string } {
  return { id: `0badcafe-init-${n}`, time_ms: 1_700_000_000_000 + n, boot_ms: n, source: "init" };
}

async function ours(name: string, eventOf: (n: number) => Event): Promise<void> {
  const folder = mkdtempSync("/var/tmp/aios-bench-ingest-");
  const keeper = new Keeper(folder);
  const failed = (error: unknown): void => {
    throw error;
  };
  const commit = new GroupCommit({ parts: () => keeper.parts, onWritten: () => {}, onFailed: failed });
  const bodies = Array.from({ length: events_total / batch_events }, (_, batch) =>
    JSON.stringify({ events: Array.from({ length: batch_events }, (_, n) => eventOf(batch * batch_events + n)) }),
  );
  const batch_ms: number[] = [];
  const begin_ms = performance.now();
  const began = process.cpuUsage();
  for (let at = 0; at < bodies.length; at += at_once) {
    const sent_ms = performance.now();
    await Promise.all(
      bodies.slice(at, at + at_once).map(async (body) => {
        const { events } = history_methods["events.append"].params.parse(JSON.parse(body));
        await commit.append({ events, decisions: [] });
        batch_ms.push(performance.now() - sent_ms);
      }),
    );
  }
  print(name, begin_ms, batch_ms, began);
  keeper.close();
  rmSync(folder, { recursive: true });
}

function ftsAlone(): void {
  const folder = mkdtempSync("/var/tmp/aios-bench-ingest-");
  const db: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(join(folder, "fts.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61')");
  const insert = db.prepare("INSERT INTO words (text) VALUES (?)");
  const texts = Array.from({ length: events_total }, (_, n) => memoryOfEvent(distinct(n)).text);
  const batch_ms: number[] = [];
  const begin_ms = performance.now();
  const began = process.cpuUsage();
  for (let at = 0; at < texts.length; at += batch_events) {
    const sent_ms = performance.now();
    db.transaction(() => texts.slice(at, at + batch_events).forEach((text) => void insert.run(text)))();
    batch_ms.push(performance.now() - sent_ms);
  }
  print(fts_alone, begin_ms, batch_ms, began);
  db.close();
  rmSync(folder, { recursive: true });
}

function print(name: string, begin_ms: number, batch_ms: readonly number[], began: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(began);
  const cpu_us = (user + system) / events_total;
  const per_s = (events_total * 1000) / (performance.now() - begin_ms);
  process.stdout.write(`${JSON.stringify({ name, per_s, batch_ms, cpu_us })}\n`);
}

await ours("texts that repeat (400 distinct)", repeating);
await ours("every text distinct", distinct);
ftsAlone();
