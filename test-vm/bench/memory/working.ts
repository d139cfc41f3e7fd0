/**
 * Working memory: durable transactions a second over the socket of the real service, on a disk, with the settings that PID 1
 * gives it: one after the other, and eight callers at once. Beside it the same rows in a plain SQLite file, each transaction
 * with the same flush and nothing around it: no socket, no state machine, no history, no long-term memory.
 */

import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { WorkChange } from "../../../contracts/memory/working/changes.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { loadNative } from "../../../wire/native.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";
import { memoryEnvironment } from "./environment.ts";

const transactions = 400;
const callers = 8;
const warm_up = 20;

export async function benchWorking(): Promise<BenchRow[]> {
  const settings = ["env", ...Object.entries(memoryEnvironment()).map(([name, value]) => `${name}=${value}`)];
  const memory = await startMemory(diskFolder("bench-working"), settings);
  try {
    return await measure(memory);
  } finally {
    await memory.kill();
  }
}

async function measure(memory: MemoryService): Promise<BenchRow[]> {
  const peers = await Promise.all(Array.from({ length: callers }, () => memory.ask("tactical")));
  const [peer] = peers;
  if (peer === undefined) throw new Error("measuring working memory failed: there is no caller");
  const alone = await timed(transactions, async (n) => await begin(peer, `alone-${n}`));
  const began_ms = performance.now();
  await Promise.all(peers.map((one, at) => timed(transactions / callers, async (n) => await begin(one, `at-once-${at}-${n}`))));
  const at_once = (transactions + callers * warm_up) / ((performance.now() - began_ms) / 1000);
  const moves = await timed(transactions, await mover(peer));
  const leases = await timed(transactions, await leaser(peer));
  const plain = plainSqlite();
  return [
    versus(withRate("working: begin an incident, durable", alone), "a row in a plain SQLite file", withRate("plain", plain)),
    versus(
      rowOfValue("working: the same, eight callers at once, which share flushes", "1/s", at_once),
      "rows in a plain SQLite file, a flush each",
      rowOfValue("plain", "1/s", withRate("plain", plain).value ?? 0),
    ),
    withRate("working: move an incident one state on, under a lease", moves),
    withRate("working: acquire a lease", leases),
  ];
}

/** Milliseconds each; `value` is how many a second. */
function withRate(name: string, took_ms: readonly number[]): BenchRow {
  return { ...rowOf(name, "ms", took_ms), value: (1000 * took_ms.length) / took_ms.reduce((sum, one) => sum + one, 0) };
}

async function timed(count: number, work: (n: number) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < count + warm_up; n += 1) {
    const begin_ms = performance.now();
    await work(n);
    if (n >= warm_up) took.push(performance.now() - begin_ms);
  }
  return took;
}

async function begin(peer: MemoryPeer, key: string): Promise<string> {
  const body = { key, summary: "a service ended", severity: "error" as const, service: "nginx", events: [], taint: [] };
  const { done } = await peer.call("work.change", { why: "it ended", changes: [{ do: "incident", body }] }, 60_000);
  return done[0]?.id ?? "";
}

/** Around observing and orienting, for ever: parked and taken up again. */
async function mover(peer: MemoryPeer): Promise<() => Promise<void>> {
  const id = await begin(peer, "mover");
  const { lease } = await peer.call("lease.acquire", { id, holder: "bench", ttl_ms: 600_000 });
  const around = ["orienting", "parked", "observing"];
  let version = 1;
  return async () => {
    const changes: WorkChange[] = [{ do: "move", id, version, to: around[(version - 1) % around.length] ?? "" }];
    await peer.call("work.change", { why: "on", changes, fences: { [id]: lease.fence } }, 60_000);
    version += 1;
  };
}

async function leaser(peer: MemoryPeer): Promise<() => Promise<unknown>> {
  const id = await begin(peer, "leaser");
  return () => peer.call("lease.acquire", { id, holder: "bench", ttl_ms: 600_000 }, 60_000);
}

function plainSqlite(): number[] {
  const open = loadNative("better-sqlite3") as typeof Sqlite;
  const db = new open(join(diskFolder("bench-plain"), "plain.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE incidents (id INTEGER PRIMARY KEY, key TEXT UNIQUE, state TEXT, body TEXT)");
  const insert = db.prepare("INSERT INTO incidents (key, state, body) VALUES (?, ?, ?)");
  const body = JSON.stringify({ summary: "a service ended", severity: "error", service: "nginx", events: [] });
  const took: number[] = [];
  for (let n = 0; n < transactions + warm_up; n += 1) {
    const begin_ms = performance.now();
    db.transaction(() => insert.run(`plain-${n}`, "observing", body)).immediate();
    if (n >= warm_up) took.push(performance.now() - begin_ms);
  }
  db.close();
  return took;
}
