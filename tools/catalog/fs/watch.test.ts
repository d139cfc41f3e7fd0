/** Watching: events in order, within the time. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { watch } from "./watch.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { work } = tests;
afterAll(() => tests.remove());

/** Until the kernel watches for this process (proc_pid_fdinfo(5)). */
async function watched(count: number): Promise<void> {
  const watches = (fd: string): number => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").split("inotify wd:").length - 1;
    } catch {
      return 0; // closed meanwhile
    }
  };
  const all = (): number => readdirSync("/proc/self/fdinfo").reduce((sum, fd) => sum + watches(fd), 0);
  for (let looks = 0; looks < 1000 && all() < count; looks += 1) await Bun.sleep(10);
}

test("tells what happens, at once and in order, and ends when it has enough", async () => {
  const folder = mkdtempSync(join(work, "watch-"));
  mkdirSync(join(folder, "sub"));
  const context = tests.context();
  const watching = callTool(watch, { path: folder, recursive: true, until: 5, duration_ms: 20_000 }, context);
  await watched(2);
  writeFileSync(join(folder, "sub/new"), "x");
  renameSync(join(folder, "sub/new"), join(folder, "moved"));
  rmSync(join(folder, "moved"));
  const { output } = await watching;
  expect(output.events.map(({ kind, path }) => `${kind} ${path.slice(folder.length + 1)}`)).toEqual([
    "created sub/new",
    "closed-after-writing sub/new",
    "moved-from sub/new",
    "moved-to moved",
    "deleted moved",
  ]);
  expect(output.events[2]?.move).toBe(output.events[3]?.move ?? -1);
  expect(output.folders).toBe(2);
  expect(context.outputs).toHaveLength(5);
});

test("one file, only some kinds, until the time is over or it is cancelled", async () => {
  const path = join(work, "watched");
  writeFileSync(path, "");
  const watching = callTool(watch, { path, kinds: ["modified"], duration_ms: 300 }, tests.context());
  await watched(1);
  appendFileSync(path, "more");
  const { output } = await watching;
  expect(output.events).toMatchObject([{ kind: "modified", path }]);
  const context = tests.context();
  const cancelled = callTool(watch, { path, duration_ms: 60_000 }, context);
  setTimeout(() => context.cancel(), 20);
  await expect(cancelled).rejects.toThrow("cancelled by the test");
});
