/**
 * What taking back a tree costs: 1 GB in 4096 files of 256 KiB, removed, copied and taken back, beside cp(1) and rm(1) on the
 * same file system. The tools run as the pipeline calls them, without permission and record. `cp -a` is followed by sync(1),
 * because a copy of ours is durable when it is done.
 */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchRow, percentile } from "../../../tooling/bench.ts";
import { callTool, type TestPlaces, testPlaces } from "../../testing/context.ts";
import { copy } from "./copy.ts";
import { remove } from "./remove.ts";

const files = 4096;
const file_bytes = 256 * 1024;

/** @param folder on a disk: a tmpfs has nothing to flush */
export async function benchTrees(folder: string, rounds = 3): Promise<BenchRow[]> {
  const tests = testPlaces(folder);
  try {
    const tree = join(tests.work, "tree");
    fill(tree);
    const removed = await removals(tests, tree, rounds);
    const copied = await copies(tests, tree, rounds);
    const cp = await timed(rounds, async () => {
      program("cp", "-a", tree, join(tests.work, "cp"));
      program("sync", "-f", tests.work);
      const begin_ms = performance.now();
      program("rm", "-r", join(tests.work, "cp"));
      return begin_ms;
    });
    return [
      row("fs.remove of a 1 GB tree", removed.made, { name: "rm -r", times: cp.undone }),
      row("undo of fs.remove of a 1 GB tree", removed.undone, { name: "cp -a from a backup, sync", times: cp.made }),
      row("fs.copy of a 1 GB tree", copied.made, { name: "cp -a, sync", times: cp.made }),
      row("undo of fs.copy of a 1 GB tree", copied.undone, { name: "rm -r", times: cp.undone }),
    ];
  } finally {
    tests.remove();
  }
}

interface Times {
  readonly made: number[];
  readonly undone: number[];
}

function fill(tree: string): void {
  const content = Buffer.alloc(file_bytes);
  for (let index = 0; index < files; index++) {
    if (index % 64 === 0) mkdirSync(join(tree, `d${index / 64}`), { recursive: true });
    content.writeUInt32LE(index, 0);
    content.fill(index & 0xff, 4);
    writeFileSync(join(tree, `d${Math.floor(index / 64)}`, `f${index}`), content);
  }
}

/** @param work resolves with when its second half began */
async function timed(rounds: number, work: (round: number) => Promise<number>): Promise<Times> {
  const times: Times = { made: [], undone: [] };
  for (let round = 0; round < rounds; round++) {
    const begin_ms = performance.now();
    const middle_ms = await work(round);
    times.made.push(middle_ms - begin_ms);
    times.undone.push(performance.now() - middle_ms);
  }
  return times;
}

function removals(tests: TestPlaces, tree: string, rounds: number): Promise<Times> {
  return timed(rounds, async () => {
    const { undo } = await callTool(remove, { path: tree, recursive: true }, tests.context());
    const middle_ms = performance.now();
    await undo();
    return middle_ms;
  });
}

async function copies(tests: TestPlaces, tree: string, rounds: number): Promise<Times> {
  return timed(rounds, async () => {
    const context = tests.context();
    const { undo } = await callTool(copy, { from: tree, to: join(tests.work, "copy") }, context);
    const middle_ms = performance.now();
    await undo();
    rmSync(join(tests.places.broker, "images", context.call), { recursive: true }); // as the image store does after an undo
    return middle_ms;
  });
}

function program(...argv: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(`running ${argv.join(" ")} failed: ${stderr.toString()}`);
}

function row(name: string, times: readonly number[], versus: { readonly name: string; readonly times: readonly number[] }): BenchRow {
  const sorted = (all: readonly number[]): number[] => [...all].sort((a, b) => a - b);
  const figures = (all: readonly number[]) => ({ p50: percentile(sorted(all), 0.5), p99: percentile(sorted(all), 0.99) });
  return {
    name,
    unit: "ms",
    n: times.length,
    ...figures(times),
    versus: { name: versus.name, n: versus.times.length, ...figures(versus.times) },
  };
}
