/** `make soak`: random faults in a running system for so long, and whether it is as it was. */

import { type BenchRow, writeBench } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { seeded } from "../../wire/seeded.ts";
import { rowOfValue } from "../bench/rows.ts";
import { controls } from "../faults/controls/index.ts";
import { faults } from "../faults/list/index.ts";
import { armOf } from "../faults/ours/arm.ts";
import { startOurs } from "../faults/ours/system.ts";
import type { Result } from "../faults/result.ts";
import { line } from "../faults/table.ts";
import { tryControl, tryFault } from "../faults/trial.ts";
import { corePids, type Ending, endings } from "./ends.ts";
import { type Growth, growthOf, type Point } from "./growth.ts";
import { rightOf, sentenceOf } from "./right.ts";
import { type Measure, sample } from "./sample.ts";

const usual_minutes = 120;
const pace = 30;
const sample_every_ms = 15_000;
/** One of so many trials is a fault that is none. */
const control_each = 5;

/**
 * What may be more after an hour without being a leak. All memory of a process is told, and what no file is behind is judged: pages
 * of a database that grows are a cache.
 */
const matters: Readonly<Record<string, number>> = { anon_mib: 24, descriptors: 8, threads: 8, processes: 4, files: 400, mib: 150 };
/** Memory and audit drop nothing; they grow with what happens, of which a soak has as much as a year. */
const rows_matter = 400_000;

class Series {
  readonly #of = new Map<string, { of: string; points: Point[] }>();

  /** What is of another process than before begins anew. */
  add(measures: readonly Measure[], at_s: number): void {
    for (const { name, value, of } of measures) {
      const known = this.#of.get(name);
      if (known === undefined || known.of !== of) this.#of.set(name, { of, points: [{ at_s, value }] });
      else known.points.push({ at_s, value });
    }
  }

  growths(): readonly (readonly [name: string, growth: Growth])[] {
    return [...this.#of].map(([name, { points }]) => {
      const what = name.split(" ").at(-1) ?? "";
      return [name, growthOf(points, what === "rows" ? rows_matter : (matters[what] ?? Number.POSITIVE_INFINITY))] as const;
    });
  }
}

async function main(): Promise<number> {
  const minutes = Number(process.env["SOAK_MINUTES"] ?? usual_minutes);
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
  say(`${minutes} minutes of random faults, SEED=${seed}`);
  const ours = await startOurs(pace);
  const series = new Series();
  const begin_ms = performance.now();
  const measure = (): void => series.add(sample(ours), (performance.now() - begin_ms) / 1000);
  const timer = setInterval(measure, sample_every_ms);
  try {
    const before = await corePids(ours);
    const results = await tryAtRandom(armOf(ours), seeded(seed), begin_ms + minutes * 60_000);
    clearInterval(timer);
    measure();
    return report({ minutes, results, growths: series.growths(), ends: await endings(ours, before) });
  } finally {
    clearInterval(timer);
    await ours.end();
  }
}

async function tryAtRandom(arm: ReturnType<typeof armOf>, next: () => number, until_ms: number): Promise<Result[]> {
  const results: Result[] = [];
  const of = <T>(list: readonly T[]): T | undefined => list[Math.floor(next() * list.length)];
  while (performance.now() < until_ms) {
    const control = next() < 1 / control_each ? of(controls) : undefined;
    const fault = control === undefined ? of(faults) : undefined;
    const time = results.filter(({ name }) => name === (control ?? fault)?.name).length + 1;
    const result =
      control !== undefined ? await tryControl(arm, control, time) : fault !== undefined ? await tryFault(arm, fault, time) : null;
    if (result === null) continue;
    results.push(result);
    process.stdout.write(`${line(result)}\n`);
  }
  return results;
}

interface Soaked {
  readonly minutes: number;
  readonly results: readonly Result[];
  readonly growths: readonly (readonly [name: string, growth: Growth])[];
  readonly ends: readonly Ending[];
}

/** @returns the exit status */
function report({ minutes, results, growths, ends }: Soaked): number {
  const for_people = new Set(faults.filter(({ ends: by }) => by === "person").map(({ name }) => name));
  const right = rightOf(results, for_people);
  process.stdout.write("\n");
  for (const [name, { first, last, per_hour, z, leaks, points }] of growths) {
    const figures = [first, last, per_hour].map((value) => value.toFixed(1).padStart(10)).join("");
    process.stdout.write(
      `${name.padEnd(30)}${figures} an hour  z ${z.toFixed(1).padStart(5)}  ${points} points${leaks ? "  LEAKS" : ""}\n`,
    );
  }
  for (const { what, holds, detail } of ends)
    process.stdout.write(`${holds ? "yes" : "NO "}  ${what}${detail === "" ? "" : `: ${detail}`}\n`);
  process.stdout.write(`${sentenceOf(right)}\n`);
  const rows: BenchRow[] = [
    { ...rowOfValue("trials that ended as they should", "%", right.percent), n: right.of },
    rowOfValue("soak", "min", minutes),
    ...growths.map(([name, { per_hour, points }]) => ({ ...rowOfValue(`growth of ${name}`, "1/h", per_hour), n: points })),
    ...growths.filter(([, { leaks }]) => leaks).map(([name]) => rowOfValue(`leak of ${name}`, "bool", 1)),
    ...ends.map(({ what, holds }) => rowOfValue(what, "bool", holds ? 1 : 0)),
  ];
  say(`written to ${writeBench("soak", rows)}`);
  return right.is_enough && ends.every(({ holds }) => holds) && !growths.some(([, { leaks }]) => leaks) ? 0 : 1;
}

process.exit(await main());
