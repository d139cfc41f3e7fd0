/**
 * What keeps memory whole, measured on 100,000 memories as a machine has them: events that repeat, notes that do not.
 * Beside the backup, `VACUUM INTO` of SQLite alone, which does not check what it wrote; beside the cold search, the same
 * questions while everything was in memory.db.
 */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Keeper } from "../../../memory/keeper.ts";
import { wallClock } from "../../../memory/testing/clock.ts";
import { exitedEvent, noteMemory } from "../../../memory/testing/records.ts";
import { exportsIn, importsIn } from "../../../memory/upkeep/folders.ts";
import { Upkeep } from "../../../memory/upkeep/upkeep.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { openReadOnly } from "../../../wire/database.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";

const memories = 100_000;
const batch = 1000;
const questions = 200;
const now = (): number => 1_800_000_000_000;

export async function benchUpkeep(): Promise<BenchRow[]> {
  const root = mkdtempSync("/var/tmp/aios-bench-upkeep-");
  try {
    const folder = join(root, "a");
    const keeper = new Keeper(folder);
    fill(keeper);
    const upkeep = new Upkeep({ keeper, clock: wallClock(now) });
    const rows = [await backupRow(upkeep, folder), ...(await exchangeRows(upkeep, folder, join(root, "b")))];
    const hot = searches(keeper);
    const plain_bytes = keeper.bytes();
    rows.push(...(await segmentRows(upkeep, keeper, plain_bytes)));
    rows.push(versus(rowOf("search by word, everything cold", "ms", searches(keeper)), "everything hot", rowOf("hot", "ms", hot)));
    rows.push(rowOf("recall by id out of a segment", "ms", recalls(keeper)));
    keeper.close();
    return rows;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function fill(keeper: Keeper): void {
  for (let from = 0; from < memories / 2; from += batch) {
    keeper.write(({ store, longterm }) => {
      for (let n = from; n < from + batch; n += 1) {
        store.addEvent(exitedEvent(n, `unit-${n % 20}`));
        longterm.put(noteMemory(n, null));
      }
    });
  }
}

async function backupRow(upkeep: Upkeep, folder: string): Promise<BenchRow> {
  const ours = await timed(() => upkeep.jobs.run<"backup">({ do: "backup", folder, name: "bench", time_ms: now() }));
  const db = openReadOnly(join(folder, "memory.db"));
  const theirs = await timed(async () => db.exec(`VACUUM INTO '${join(folder, "vacuum.db")}'`));
  db.close();
  const name = "backup of 100,000 memories, checked and flushed";
  return versus(rowOfValue(name, "ms", ours), "VACUUM INTO, unchecked", rowOfValue("", "ms", theirs));
}

async function exchangeRows(upkeep: Upkeep, folder: string, other: string): Promise<BenchRow[]> {
  const out = await timed(() => upkeep.jobs.run<"export">({ do: "export", folder, name: "all", which: {}, time_ms: now() }));
  mkdirSync(importsIn(other), { recursive: true });
  const file = join(exportsIn(folder), "all.jsonl.zst");
  copyFileSync(file, join(importsIn(other), "all"));
  const keeper = new Keeper(other);
  const back = await timed(() => new Upkeep({ keeper, clock: wallClock(now) }).import("all"));
  keeper.close();
  return [
    rowOfValue("export, memories a second", "1/s", (memories / out) * 1000),
    rowOfValue("export, size", "bytes", statSync(file).size),
    rowOfValue("import, memories a second, durable", "1/s", (memories / back) * 1000),
  ];
}

async function segmentRows(upkeep: Upkeep, keeper: Keeper, hot_bytes: number): Promise<BenchRow[]> {
  const moves: number[] = [];
  for (;;) {
    const begin_ms = performance.now();
    const segment = await upkeep.move({ older_than_ms: null, keep_newest: 0, at_least: 1, limit: 10_000 });
    if (segment === null) break;
    moves.push(performance.now() - begin_ms);
  }
  const segments = keeper.parts.upkeep.segments();
  const sum = (of: "bytes" | "plain_bytes"): number => segments.reduce((all, segment) => all + segment[of], 0);
  keeper.parts.upkeep.shrink(1_000_000);
  return [
    rowOf("moving 10,000 memories into a segment", "ms", moves),
    rowOfValue("segments, size", "bytes", sum("bytes")),
    rowOfValue("segments, JSON held for each byte", "", sum("plain_bytes") / sum("bytes")),
    versus(rowOfValue("memory.db with all cold", "bytes", keeper.bytes()), "with all hot", rowOfValue("", "bytes", hot_bytes)),
  ];
}

/** Words that one memory has, and words that many have. */
function searches(keeper: Keeper): number[] {
  return Array.from({ length: questions }, (_, n) => {
    const query = n % 2 === 0 ? `note ${n * 97} nginx stopped answering` : `unit-${n % 20} exited killed`;
    const begin_ms = performance.now();
    keeper.parts.longterm.search({ query, mode: "words", filter: {}, limit: 10, vector: null, now_ms: now() });
    return performance.now() - begin_ms;
  });
}

function recalls(keeper: Keeper): number[] {
  return Array.from({ length: questions }, (_, n) => {
    const { id } = noteMemory((n * 7919) % (memories / 2), null);
    const begin_ms = performance.now();
    keeper.parts.longterm.recall([id]);
    return performance.now() - begin_ms;
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin_ms = performance.now();
  await work();
  return performance.now() - begin_ms;
}
