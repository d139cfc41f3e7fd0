/**
 * How many events a second memory takes durably. Over the socket of the real service, from a process that sends in batches:
 * parsed, written with their memory, text, words and links (SQLite, WAL, synchronous=FULL), and answered after the flush; begun
 * when the service is past its start. And the writing alone, in one process. Both with the settings that PID 1 gives memory, and
 * without a model: vectors are made later. Beside it FTS5 alone: the texts as rows, nothing else of ours.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { run } from "../../../tooling/run.ts";
import { checkout } from "../../places.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";
import { memoryEnvironment } from "./environment.ts";
import type { EventSet } from "./ingest-events.ts";

export const events_total = 60_000;
export const batch_events = 500;
/** Batches that are under way at once, as several callers have them: one flush serves all of them. */
export const batches_at_once = 8;
/** As the reactive tier sends its own: a hundred, and the next when those are on the disk (agents/reactive/ledger.ts). */
const ledger_batch = 100;
const ledger_events = 20_000;
/** proc(5): ticks of the processor times in /proc/PID/stat. */
const ticks_per_s = 100;
/** The service is idle when it takes next to no processor time for so many looks. */
const idle_looks = 3;
const idle_look_ms = 200;
const idle_s_max = 0.02;

const Sent = z.strictObject({ per_s: z.number(), batch_ms: z.array(z.number()) });
export type Sent = z.infer<typeof Sent>;
/** `cpu_us`: processor time of one event, which other programs on the machine do not lengthen. */
const Measured = Sent.extend({ name: z.enum(["repeating", "distinct", "fts"]), cpu_us: z.number() });
export type Measured = z.infer<typeof Measured>;

const names = { repeating: "texts that repeat (400 distinct)", distinct: "every text distinct" } as const;

export async function benchIngest(): Promise<BenchRow[]> {
  const said = await run([process.execPath, join(import.meta.dir, "ingest-child.ts")], { cwd: checkout, env: memoryEnvironment() });
  const measured = said
    .trim()
    .split("\n")
    .map((line) => Measured.parse(JSON.parse(line)));
  const alone = measured.find(({ name }) => name === "fts");
  const fts = rowOfValue("", "1/s", Math.round(alone?.per_s ?? 0));
  const rows: BenchRow[] = [];
  for (const set of ["repeating", "distinct"] as const)
    rows.push(...(await overSocket(set, batch_events, batches_at_once, events_total, fts)));
  rows.push(...(await overSocket("repeating", ledger_batch, 1, ledger_events, fts)));
  for (const one of measured) if (one.name !== "fts") rows.push(...rowsOf(`ingest, no socket, ${names[one.name]}`, batch_events, one, fts));
  return rows;
}

async function overSocket(set: EventSet, batch: number, at_once: number, events: number, fts: BenchRow): Promise<BenchRow[]> {
  const env = Object.entries(memoryEnvironment()).map(([name, value]) => `${name}=${value}`);
  const memory = await startMemory(diskFolder("bench-ingest"), ["env", ...env]);
  try {
    await settled(memory);
    const began = cpuSeconds(memory);
    const client = [process.execPath, join(import.meta.dir, "ingest-client.ts"), memory.init.run, set, events, batch, at_once].map(String);
    const sent = Sent.parse(JSON.parse(await run(client, { cwd: checkout })));
    const cpu_us = ((cpuSeconds(memory) - began) * 1_000_000) / events;
    const how = at_once === 1 ? "one batch after the other" : `${at_once} batches under way`;
    return rowsOf(`ingest over the socket, ${how}, ${names[set]}`, batch, { ...sent, cpu_us }, fts);
  } finally {
    await memory.kill();
  }
}

function rowsOf(name: string, batch: number, { per_s, batch_ms, cpu_us }: Omit<Measured, "name">, fts: BenchRow): BenchRow[] {
  return [
    versus(rowOfValue(name, "1/s", Math.round(per_s)), "FTS5 alone (all distinct; no rows, no parsing)", fts),
    rowOf(`${name}: one batch of ${batch}, durable`, "ms", batch_ms),
    rowOfValue(`${name}: processor time of one event`, "us", cpu_us),
  ];
}

/** Waits until the start is over: it takes in the documents that are shipped, which is not what is measured. */
async function settled(memory: MemoryService): Promise<void> {
  let last_s = cpuSeconds(memory);
  for (let idle = 0; idle < idle_looks; ) {
    await Bun.sleep(idle_look_ms);
    const now_s = cpuSeconds(memory);
    idle = now_s - last_s <= idle_s_max ? idle + 1 : 0;
    last_s = now_s;
  }
}

/** proc(5): utime and stime, the 14th and 15th field. */
function cpuSeconds({ child }: MemoryService): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticks_per_s;
}
