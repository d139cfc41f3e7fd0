/** `make faults`: each fault twice in the same system, then what looks like one and is none. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchRow, writeBench } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { folderOfResults, KeptResults, type SetName } from "./kept.ts";
import { type Options, readOptions, usual } from "./options.ts";
import type { Result } from "./result.ts";
import { rowsOf } from "./rows.ts";
import { type Piece, type Running, sets } from "./sets.ts";
import { line, markdown, sums } from "./table.ts";

/** @returns what came of the set, with what was known before; each trial is kept and printed when it is over */
async function runSet(name: SetName, options: Options): Promise<Result[]> {
  const set = sets[name];
  const { names, pace, fresh, whatever } = options;
  const kept = new KeptResults({ set: name, pace, system: set.system(), whatever }, fresh);
  const results: Result[] = [];
  let running: Running | null = null;
  try {
    for (const piece of set.pieces) {
      const before = kept.of(piece.name, piece.code, piece.times);
      const is_wanted = names.length === 0 ? before === null : names.includes(piece.name);
      if (!is_wanted) {
        results.push(...(before ?? []));
        continue;
      }
      running ??= await set.start(pace);
      const own = await attempts(running, piece, (result) => kept.add(result, piece.code));
      results.push(...own);
      // whatever it was, the next one does not suffer from it
      if (own.some(({ trouble }) => trouble !== null)) {
        await running.end();
        running = null;
      }
    }
  } finally {
    await running?.end();
  }
  return results;
}

async function attempts(running: Running, piece: Piece, took: (result: Result) => void): Promise<Result[]> {
  const own: Result[] = [];
  for (let time = 1; time <= piece.times; time += 1) {
    const result = await running.attempt(piece, time);
    own.push(result);
    took(result);
    process.stdout.write(`${line(result)}\n`);
  }
  return own;
}

async function runAll(options: Options): Promise<Map<SetName, Result[]>> {
  const all = new Map<SetName, Result[]>();
  for (const name of options.sets) all.set(name, await runSet(name, options));
  const text = markdown(all);
  writeFileSync(join(folderOfResults(), `${options.sets.join("-")}.md`), text);
  process.stdout.write(`\n${text}`);
  for (const [name, results] of all)
    process.stdout.write(`\n${name}, pace ${options.pace}\n  ${sums(results, sets[name].faults).join("\n  ")}\n`);
  say(`written to ${folderOfResults()}`);
  return all;
}

/** `make bench AREA=faults`: what is there already is not tried again. */
export async function benchFaults(): Promise<BenchRow[]> {
  return rowsOf([...(await runAll(usual)).values()].flat(), sets.ours.faults);
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.env, process.argv.slice(2));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 2;
  }
  const all = await runAll(options);
  const area = options.sets.includes("ours") ? "faults" : `faults-${options.sets.join("-")}`;
  say(`written to ${writeBench(area, rowsOf([...all.values()].flat(), sets[options.sets[0] ?? "ours"].faults))}`);
  return 0;
}

if (import.meta.main) process.exit(await main());
