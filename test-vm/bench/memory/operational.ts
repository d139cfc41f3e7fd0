/**
 * Operational memory after an hour with 120,000 events: what one event costs as it comes in, how long questions take, and
 * what all of it keeps resident. In a process with the settings that PID 1 gives the memory service; beside it what one would do otherwise: the same question to SQLite over the same events, in RAM.
 */

import type Sqlite from "better-sqlite3";
import { z } from "zod";
import type { Decision } from "../../../contracts/decision.ts";
import type { Event } from "../../../contracts/event.ts";
import type { Clock } from "../../../memory/clock.ts";
import { Feed } from "../../../memory/operational/feed.ts";
import { Recent } from "../../../memory/operational/recent.ts";
import { RecentLog } from "../../../memory/operational/recent-log.ts";
import { memory_file } from "../../../memory/store/migrations.ts";
import { Store } from "../../../memory/store/store.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { run } from "../../../tooling/run.ts";
import { openInRam } from "../../../wire/database.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";
import { memoryEnvironment } from "./environment.ts";

const events = 120_000;
const hour_ms = 3_600_000;
const questions = 2000;
/** Of those to SQLite, which takes longer. */
const questions_of_sqlite = 50;
const boot = "0badcafe";
const services = Array.from({ length: 20 }, (_, n) => `service-${n}`);

const Rows = z.array(
  z.strictObject({
    name: z.string(),
    unit: z.string(),
    n: z.number(),
    p50: z.number(),
    p99: z.number(),
    value: z.number().optional(),
    versus: z.strictObject({ name: z.string(), n: z.number(), p50: z.number(), p99: z.number(), value: z.number().optional() }).optional(),
  }),
);

export async function benchOperational(): Promise<BenchRow[]> {
  const rows = Rows.parse(JSON.parse(await run([process.execPath, import.meta.path], { env: memoryEnvironment() })));
  return rows.map(({ value, versus: other, ...row }) => {
    const own: BenchRow = value === undefined ? row : { ...row, value };
    return other === undefined ? own : versus(own, other.name, { ...row, n: other.n, p50: other.p50, p99: other.p99 });
  });
}

/** One event each 30 ms: most of them of services, one in 1,000 a crash of one of them. */
function eventAt(sequence: number, boot_ms: number): Event {
  const rare = sequence % 1000 === 0;
  const service = services[sequence % services.length] ?? "";
  const base = { id: `${boot}-init-${sequence}`, time_ms: 1.7e12 + boot_ms, boot_ms, source: "init" };
  if (rare) {
    const exit = { status: 1, signal: null, cause: null };
    return {
      ...base,
      severity: "error",
      kind: "service.exited",
      facts: { service: "nginx", pid: sequence, exit, uptime_ms: sequence % 7000 },
    };
  }
  if (sequence % 3 === 0)
    return { ...base, severity: "info", kind: "memory.pressure", facts: { some_avg10: 1, full_avg10: 0, available_bytes: sequence } };
  return { ...base, severity: "notice", kind: "service.state", facts: { service, from: "starting", to: "ready", reason: "it said ready" } };
}

function decisionAt(sequence: number, trigger: Event): Decision {
  return {
    id: `${boot}-d-reactive-${sequence}`,
    time_ms: trigger.time_ms,
    boot_ms: trigger.boot_ms,
    tier: "reactive",
    trigger,
    rule: "service-dead",
    based_on: [],
    reason: "it ended",
    action: { do: "log" },
    took_us: 5 + (sequence % 40),
    outcome: { result: "done", detail: "", after_ms: sequence % 90 },
  };
}

/** @returns microseconds of each */
function timed(count: number, question: (n: number) => unknown): number[] {
  const took: number[] = [];
  for (let n = 0; n < count + 50; n += 1) {
    const begin_ms = performance.now();
    question(n);
    if (n >= 50) took.push((performance.now() - begin_ms) * 1000);
  }
  return took;
}

/** The whole hour from the log, as after a start of the service. */
async function replayed_ms(db: Sqlite.Database, clock: Clock): Promise<number> {
  const parts = { recent_log: new RecentLog(db) };
  const recent = new Recent(clock);
  const fail = (error: unknown): never => {
    throw error;
  };
  const feed = new Feed({ keeper: { parts, read: (query) => query(parts) }, recent, clock, onFailed: fail });
  const begin_ms = performance.now();
  await feed.start();
  if (recent.held().events !== events) throw new Error(`reading the log again failed: it gave ${recent.held().events} events of ${events}`);
  return performance.now() - begin_ms;
}

async function measure(): Promise<BenchRow[]> {
  let now_ms = 0;
  const clock: Clock = { boot, boot_ms: () => now_ms, time_ms: () => 1.7e12 + now_ms };
  const made = Array.from({ length: events }, (_, n) => eventAt(n, 1_000_000 + (n * hour_ms) / events));
  Bun.gc(true);
  const before_bytes = process.memoryUsage.rss();
  const recent = new Recent(clock);
  const taken: number[] = [];
  for (const [n, event] of made.entries()) {
    now_ms = event.boot_ms;
    const begin_ms = performance.now();
    recent.takeEvent(event);
    taken.push((performance.now() - begin_ms) * 1000);
    if (n % 12 === 0) recent.takeDecision(decisionAt(n, event));
    if (n % 333 === 0)
      recent.takeMetrics({ boot_ms: now_ms, values: Object.fromEntries(services.map((name, at) => [`${name}.x`, n + at])) });
  }
  Bun.gc(true);
  const resident_bytes = process.memoryUsage.rss() - before_bytes;
  const { bytes, bytes_max } = recent.held();
  const alternative = sqliteOf(made);
  const since = now_ms - hour_ms;
  const beside = (name: string, own: (n: number) => unknown, sql: string, ...values: unknown[]): BenchRow => {
    const statement = alternative.prepare(sql);
    const other = rowOf(
      name,
      "us",
      timed(questions_of_sqlite, () => statement.all(...values)),
    );
    return versus(rowOf(`operational: ${name}`, "us", timed(questions, own)), "SQLite in RAM", other);
  };
  const in_time = "boot = ? AND boot_ms >= ?";
  const all = { kind: null, source: null, service: null, severity_min: null };
  return [
    rowOf("operational: take one event", "us", taken),
    beside(
      "rate of a kind of one service, all windows",
      () => recent.rate("kind-service:service.exited nginx"),
      `SELECT count(*) FROM events WHERE ${in_time} AND kind = 'service.exited' AND service = 'nginx'`,
      boot,
      since,
    ),
    beside(
      "percentiles of a fact, 1 h",
      () => recent.distribution("memory.pressure.available_bytes", "1h", [0.5, 0.95, 0.99]),
      `SELECT json_extract(body, '$.facts.available_bytes') AS v FROM events WHERE ${in_time} AND kind = 'memory.pressure' ORDER BY v`,
      boot,
      since,
    ),
    beside(
      "the ten most frequent, 1 h",
      () => recent.top("init", "1h", 10),
      `SELECT kind, service, count(*) AS n FROM events WHERE ${in_time} GROUP BY 1, 2 ORDER BY n DESC LIMIT 10`,
      boot,
      since,
    ),
    beside(
      "the newest 50 events",
      () => recent.events("1h", { ...all, limit: 50 }),
      `SELECT body FROM events WHERE ${in_time} ORDER BY seq DESC LIMIT 50`,
      boot,
      since,
    ),
    beside(
      "the newest 20 errors",
      () => recent.events("1h", { ...all, severity_min: "error", limit: 20 }),
      `SELECT body FROM events WHERE ${in_time} AND json_extract(body, '$.severity') IN ('error', 'critical') ORDER BY seq DESC LIMIT 20`,
      boot,
      since,
    ),
    rowOf(
      "operational: percentiles of a metric, 1 h, exact",
      "us",
      timed(questions, () => recent.distribution("service-3.x", "1h", [0.5, 0.95])),
    ),
    rowOf(
      "operational: summary of 1 h",
      "us",
      timed(500, () => recent.summary("1h")),
    ),
    rowOfValue("operational: 120,000 events read again from the log after a start", "ms", await replayed_ms(alternative, clock)),
    rowOfValue("operational: resident memory of the last hour", "bytes", resident_bytes),
    rowOfValue("operational: the same as it states itself", "bytes", bytes),
    rowOfValue("operational: bound when all is full", "bytes", bytes_max),
  ];
}

function sqliteOf(made: readonly Event[]): Sqlite.Database {
  const db = openInRam(memory_file);
  const store = new Store(db);
  store.commit(() => made.forEach((event) => void store.addEvent(event)));
  return db;
}

if (import.meta.main) process.stdout.write(JSON.stringify(await measure()));
