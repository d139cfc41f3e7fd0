/** process.list and process.tree */

import { afterAll, expect, test } from "bun:test";
import { callTool, testPlaces } from "../../testing/context.ts";
import { processList } from "./list.ts";
import { byCgroup } from "./shared/membership.ts";
import { refusal, sleeper } from "./testing/sleeper.ts";
import { processTree } from "./tree.ts";

const places = testPlaces();
afterAll(() => places.remove());
const list = async (input: object) => (await callTool(processList, input, places.context())).output;

test("processes with their owner and use; filtered, sorted, in pages", async () => {
  const one = await sleeper(["sleep", "601"]);
  const found = await list({ name: "sleep", sort: "pid", limit: 100 });
  expect(found.processes.find(({ pid }) => pid === one.pid)).toMatchObject({
    name: "sleep",
    state: "S",
    uid: 0,
    ppid: process.pid,
    started_ticks: one.started_ticks,
    untrusted_cmdline: "sleep 601",
    core: false,
    service: null,
  });
  expect((await list({ uid: 4_000_000_000 })).processes).toEqual([]);
  const [first, second] = [await list({ sort: "pid", limit: 2 }), await list({ sort: "pid", offset: 2, limit: 2 })];
  expect([first.truncated, first.processes.length]).toEqual([true, 2]);
  expect(first.processes[1]?.pid ?? 0).toBeLessThan(second.processes[0]?.pid ?? 0);
  const by_memory = (await list({ sort: "memory", limit: 5 })).processes.map(({ rss_bytes }) => rss_bytes);
  expect(by_memory).toEqual([...by_memory].sort((a, b) => b - a));
  await one.end();
});

test("PID 1 and the broker itself are core", async () => {
  const { processes } = await list({ sort: "pid", limit: 100 });
  expect(processes.find(({ pid }) => pid === 1)).toMatchObject({ core: true, service: "init" });
  expect((await list({ sort: "memory", limit: 100 })).processes.find(({ pid }) => pid === process.pid)?.core).toBe(true);
});

test("the services that PID 1 knows are named, and the system's own are core", async () => {
  const one = await sleeper();
  const of = async (service: string) => {
    const init = { call: async () => [{ pid: one.pid, service }] };
    const context = places.context({ init: init as never });
    return (await callTool(processList, { name: "sleep", limit: 100 }, context)).output.processes.find(({ pid }) => pid === one.pid);
  };
  expect(await of("memory")).toMatchObject({ service: "memory", core: true });
  expect(await of("web")).toMatchObject({ service: "web", core: false });
  await one.end();
});

test("by cgroup: slice, service, call", () => {
  expect(byCgroup("0::/tiers/reactive\n")).toMatchObject({ slice: "tiers", service: "reactive", call: null });
  expect(byCgroup("12:cpu:/x\n0::/work/tools/1a2b3c4d-call-17-1\n")).toMatchObject({
    slice: "work",
    service: null,
    call: "1a2b3c4d-call-17",
  });
  expect(byCgroup("0::/work/web/sub\n")).toMatchObject({ slice: "work", service: "web" });
  expect(byCgroup("0::/\n")).toBeNull();
});

test("a tree: parents before children, with depth; from a pid that is there", async () => {
  const one = await sleeper(["sh", "-c", "sleep 600 & sleep 600 & wait"]);
  const tree = async (input: object) => (await callTool(processTree, input, places.context())).output;
  let found = await tree({ pid: one.pid });
  // a child has its parent's name until it becomes its program
  const sleeping = (): number => found.processes.filter(({ name }) => name === "sleep").length;
  for (let round = 0; round < 500 && sleeping() < 2; round += 1) {
    await Bun.sleep(5);
    found = await tree({ pid: one.pid });
  }
  expect(found.processes.map(({ depth, name }) => `${depth} ${name}`)).toEqual(["0 sh", "1 sleep", "1 sleep"]);
  expect((await tree({ pid: one.pid, depth_max: 0 })).total).toBe(1);
  const all = await tree({ depth_max: 64, limit: 100 });
  expect(all.processes[0]).toMatchObject({ pid: 1, depth: 0 });
  expect(await refusal(() => tree({ pid: 4_194_304 }))).toContain("there is no process with this pid");
  for (const { pid } of found.processes.slice(1)) process.kill(pid, "SIGKILL");
  await one.end();
});
