import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { OthersAtWork, type ProcessorTimes, processorTimes, threadsFor } from "./threads.ts";

test("one processor stays free while others work, and a machine of one has one thread", () => {
  expect(threadsFor([], 1)).toEqual({ usual: 1, idle: 1 });
  expect(threadsFor([], 2)).toEqual({ usual: 1, idle: 2 });
  expect(threadsFor([], 8)).toEqual({ usual: 7, idle: 8 });
  expect(threadsFor([], 64)).toEqual({ usual: 16, idle: 16 });
});

/** Answers one after the other, the last of them for ever. */
function told(times: readonly (ProcessorTimes | null)[]): OthersAtWork {
  let at = 0;
  return new OthersAtWork(() => times[Math.min(at++, times.length - 1)] ?? null);
}

const processors = availableParallelism();
const quiet = { idle: 0, running: 1, own_ms: 0 };

test("nothing known counts as work of others", async () => {
  expect(await told([null]).look()).toBe(true);
  expect(await told([{ ...quiet, all: 0 }]).look()).toBe(true);
});

test("an idle machine, and one on which only this process worked, are free", async () => {
  const span = 100 * processors;
  const idle = told([
    { ...quiet, all: 0 },
    { ...quiet, all: span, idle: span },
  ]);
  expect([await idle.look(), await idle.look()]).toEqual([true, false]);
  const own = told([
    { ...quiet, all: 0 },
    { ...quiet, all: span, idle: span - 90, own_ms: 900 },
  ]);
  expect([await own.look(), await own.look()]).toEqual([true, false]);
});

test("half a processor of others is work, until a window without it", async () => {
  const span = 100 * processors;
  const others = told([
    { ...quiet, all: 0 },
    { ...quiet, all: span, idle: span - 50 },
    { ...quiet, all: span + 1, idle: span - 49 },
    { ...quiet, all: 2 * span + 1, idle: 2 * span - 49 },
  ]);
  expect([await others.look(), await others.look(), await others.look(), await others.look()]).toEqual([true, true, true, false]);
});

test("who runs at this moment is work when he still does a moment later", async () => {
  const free = { ...quiet, all: 100 * processors, idle: 100 * processors };
  const asker = told([{ ...quiet, all: 0 }, { ...free, running: 2 }, free]);
  expect([await asker.look(), await asker.look()]).toEqual([true, false]);
  const hog = told([
    { ...quiet, all: 0 },
    { ...free, running: 2 },
    { ...free, running: 2 },
  ]);
  expect([await hog.look(), await hog.look()]).toEqual([true, true]);
});

test("what the kernel says is read: all time and this process's own grow with work, and somebody runs", () => {
  const before = processorTimes();
  const end_ms = performance.now() + 60_000;
  let now = before;
  while ((now?.own_ms ?? 0) < (before?.own_ms ?? 0) + 200 && performance.now() < end_ms) now = processorTimes();
  if (before === null || now === null) throw new Error("nothing was read");
  expect(now.own_ms - before.own_ms).toBeGreaterThanOrEqual(200);
  expect(now.all).toBeGreaterThanOrEqual(before.all + 15);
  expect(now.idle).toBeGreaterThanOrEqual(before.idle);
  expect(now.idle - before.idle).toBeLessThan(now.all - before.all);
  expect(now.running).toBeGreaterThanOrEqual(1);
});
