/**
 * The template miner beside drain3, on the same generated lines with known templates, one after the other on the same
 * machine. Ours writes what it counts to a database on the disk, drain3 keeps it in memory.
 */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LogLines } from "../../../memory/testing/log-lines.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { run } from "../../../tooling/run.ts";
import { bench_folder, newFolder } from "../../places.ts";
import { rowOfValue, versus } from "../rows.ts";
import { memoryEnvironment } from "./environment.ts";

const lines_count = 100_000;
/** So many that the tree's bounds are reached; a million, for minutes, with AIOS_LONG=1. */
const noise_lines = process.env["AIOS_LONG"] === "1" ? 1_000_000 : 200_000;
const seed = 2026;
/** What it needs is pinned, too: pip would take what is newest. */
const drain3 = ["drain3==0.9.11", "jsonpickle==1.5.1", "cachetools==4.2.1"];

const Timed = z.object({
  groups: z.array(z.number().int()),
  wall_s: z.number(),
  cpu_s: z.number(),
  parameters_wall_s: z.number(),
  parameters_cpu_s: z.number(),
  rss_bytes: z.number(),
});
const Ours = Timed.extend({
  noise_s: z.number(),
  noise_rss_bytes: z.number(),
  noise_counts: z.object({ total: z.number(), held: z.number(), nodes: z.number() }),
});

export async function benchTemplates(): Promise<BenchRow[]> {
  const folder = newFolder("templates-lines");
  const lines = new LogLines(seed).take(lines_count);
  const path = join(folder, "lines");
  writeFileSync(path, lines.map(({ text }) => JSON.stringify(text)).join("\n"));
  const known = lines.map((line) => line.known);
  const theirs = Timed.parse(JSON.parse(await run([await drain3Python(), join(import.meta.dir, "with-drain3.py"), path])));
  const command = [process.execPath, join(import.meta.dir, "mine.ts"), path, String(noise_lines)];
  const ours = Ours.parse(JSON.parse(await run(command, { env: memoryEnvironment() })));
  const rate = (seconds: number): number => lines.length / seconds;
  const beside = (name: string, unit: string, value: number, other: string, other_value: number): BenchRow =>
    versus(rowOfValue(name, unit, value), other, rowOfValue(other, unit, other_value));
  return [
    beside(
      "log lines to template and typed parameters, durable",
      "1/s",
      rate(ours.parameters_wall_s),
      "drain3 with its example masks and extract_parameters, in memory",
      rate(theirs.parameters_wall_s),
    ),
    beside("the same by CPU time", "1/s", rate(ours.parameters_cpu_s), "drain3", rate(theirs.parameters_cpu_s)),
    beside(
      "log lines to template alone, durable",
      "1/s",
      rate(ours.wall_s),
      "drain3 with its example masks, in memory",
      rate(theirs.wall_s),
    ),
    beside("the same by CPU time, template alone", "1/s", rate(ours.cpu_s), "drain3", rate(theirs.cpu_s)),
    beside("grouping accuracy, 77 known templates", "share", accuracy(known, ours.groups), "drain3", accuracy(known, theirs.groups)),
    beside("resident memory of the process after it", "bytes", ours.rss_bytes, "drain3", theirs.rss_bytes),
    rowOfValue(`lines of noise a second, 50 sources, ${noise_lines} lines`, "1/s", noise_lines / ours.noise_s),
    rowOfValue(`resident memory after ${noise_lines} lines of noise`, "bytes", ours.noise_rss_bytes),
    rowOfValue(`templates in the tree after ${noise_lines} lines of noise`, "templates", ours.noise_counts.held),
    rowOfValue(`templates in the database after ${noise_lines} lines of noise`, "templates", ours.noise_counts.total),
  ];
}

/** How many lines are in a group that is exactly the group of the lines of one template (Zhu et al., 2019). */
function accuracy(known: readonly number[], found: readonly number[]): number {
  const count = (keys: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  };
  const by_known = count(known.map(String));
  const by_found = count(found.map(String));
  const both = count(known.map((one, n) => `${one} ${found[n]}`));
  const right = known.filter((one, n) => {
    const size = both.get(`${one} ${found[n]}`);
    return size === by_known.get(String(one)) && size === by_found.get(String(found[n]));
  });
  return right.length / known.length;
}

/** What PID 1 tells the runtime of the memory service. */
/** A Python that has drain3, made at the first run. */
async function drain3Python(): Promise<string> {
  const folder = join(bench_folder, "drain3");
  const python = join(folder, "bin", "python");
  if (existsSync(python)) return python;
  await run(["python3", "-m", "venv", folder]);
  await run([join(folder, "bin", "pip"), "install", "--quiet", ...drain3]);
  return python;
}
