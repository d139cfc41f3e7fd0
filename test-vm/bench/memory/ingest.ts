/**
 * How many events a second memory takes durably: parsed as they come from the socket, written with their memory, text, words
 * and links in one transaction a batch (SQLite, WAL, synchronous=FULL). In a process of its own, without the compiler of
 * JavaScriptCore, as the service runs. Beside it the same number of rows into FTS5 alone, without anything of ours.
 */

import { join } from "node:path";
import type { BenchRow } from "../../../tooling/bench.ts";
import { checkout } from "../../places.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";

/** What the measuring process prints. */
interface Measured {
  readonly name: string;
  readonly per_s: number;
  readonly batch_ms: readonly number[];
  /** Processor time of one event, which other programs on the machine do not lengthen. */
  readonly cpu_us: number;
}

/** As the service table has it (init/supervise/table.ts). */
const environment = { ...process.env, BUN_JSC_useJIT: "0" };

export async function benchIngest(): Promise<BenchRow[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "ingest-child.ts")], {
    cwd: checkout,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error("measuring ingest failed: its process ended with an error; see above");
  const measured = text.trim().split("\n").map(read);
  const alone = measured.find(({ name }) => name === fts_alone);
  return measured
    .filter(({ name }) => name !== fts_alone)
    .flatMap(({ name, per_s, batch_ms, cpu_us }) => {
      const rate = rowOfValue(`ingest, ${name}`, "1/s", Math.round(per_s));
      const other = alone === undefined ? rate : versus(rate, fts_alone, rowOfValue("", "1/s", Math.round(alone.per_s)));
      const cpu = rowOfValue(`ingest, ${name}: processor time of one event`, "us", cpu_us);
      return [other, rowOf(`ingest, ${name}: one batch of ${batch_events}, durable`, "ms", batch_ms), cpu];
    });
}

export const batch_events = 500;
export const fts_alone = "FTS5 alone (the same texts, all distinct; no rows, no parsing)";

function read(line: string): Measured {
  const value: unknown = JSON.parse(line);
  if (!isMeasured(value)) throw new Error(`measuring ingest failed: its process printed "${line}"`);
  return value;
}

function isMeasured(value: unknown): value is Measured {
  return typeof value === "object" && value !== null && "name" in value && "per_s" in value && "batch_ms" in value;
}
