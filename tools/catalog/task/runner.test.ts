/** When tasks are run: a clock that the test turns, durable values, and calls that are counted by their key. */

import { afterAll, expect, test } from "bun:test";
import { callTool, memoryState, testPlaces } from "../../testing/context.ts";
import { processList } from "../process/list.ts";
import { taskCancel } from "./cancel.ts";
import { taskList } from "./list.ts";
import { type TaskCall, type TaskOutcome, TaskRunner } from "./runner.ts";
import { taskSchedule } from "./schedule.ts";

const places = testPlaces();
afterAll(() => places.remove());
const noon_ms = Date.UTC(2026, 0, 1, 12, 0, 0);
const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;

function rig() {
  const time = { wall: noon_ms, boot: 0 };
  const clock = { now_ms: () => time.wall, boot_ms: () => time.boot };
  const state = memoryState();
  const calls: TaskCall[] = [];
  const logged: string[] = [];
  /** As the pipeline does: a call with a key that is known is not made again. */
  const known = new Map<string, TaskOutcome>();
  let answer: (call: TaskCall) => Promise<TaskOutcome> | TaskOutcome = () => ({ call: "00000000-call-9", status: "done", text: "well" });
  const runner = () =>
    new TaskRunner({
      state,
      clock,
      async call(call) {
        const before = known.get(call.key);
        if (before !== undefined) return before;
        calls.push(call);
        const outcome = await answer(call);
        known.set(call.key, outcome);
        return outcome;
      },
      log: (text) => logged.push(text),
    });
  const context = (over: object = {}) => places.context({ state, clock, principal: "tier:tactical", ...over });
  const schedule = (name: string, when: object, more: object = {}, over: object = {}) =>
    callTool(
      taskSchedule((tool) => (tool === "process.list" ? processList : undefined)),
      { name, tool: "process.list", arguments: { limit: 1 }, reason: "to see", schedule: when, ...more },
      context(over),
    );
  const list = async () => (await callTool(taskList, { over: true }, context())).output.tasks;
  return {
    ...{ time, state, calls, logged, runner, schedule, list, context, known },
    answers: (next: typeof answer) => {
      answer = next;
    },
    pass: (ms: number) => {
      time.wall += ms;
      time.boot += ms;
    },
  };
}

/** Lets the time pass in steps of a minute, looking at each. */
async function live(r: ReturnType<typeof rig>, runner: TaskRunner, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += minute_ms) {
    r.pass(Math.min(minute_ms, ms - passed));
    runner.look();
    await runner.settled();
  }
}

test("once, at an interval, by cron: each at its time, in the name of who scheduled it, with its reason and a key of its own", async () => {
  const r = rig();
  await r.schedule("once", { at_ms: noon_ms + hour_ms }, {}, { role: "operator", owner: null, tainted: ["/arguments/limit", "/name"] });
  await r.schedule("often", { every_ms: 30 * minute_ms });
  await r.schedule("nightly", { cron: "30 2 * * *" });
  const runner = r.runner();
  await live(r, runner, day_ms);
  const of = (name: string) => r.calls.filter(({ reason }) => reason.startsWith(`task "${name}"`));
  expect([of("once").length, of("often").length, of("nightly").length]).toEqual([1, 48, 1]);
  expect(of("once")[0]).toMatchObject({
    tool: "process.list",
    arguments: { limit: 1 },
    reason: 'task "once": to see',
    principal: "tier:tactical",
    role: "operator",
    tainted: ["/limit"],
  });
  expect(new Set(r.calls.map(({ key }) => key)).size).toBe(r.calls.length);
  const tasks = await r.list();
  expect(tasks.find(({ name }) => name === "once")).toMatchObject({
    next_ms: null,
    runs: 1,
    last: { status: "done", text: "well", due_ms: noon_ms + hour_ms },
  });
  expect(tasks.find(({ name }) => name === "nightly")).toMatchObject({
    next_ms: Date.UTC(2026, 0, 3, 2, 30),
    last: { due_ms: Date.UTC(2026, 0, 2, 2, 30) },
  });
});

test("what was missed while nothing ran is run once, or skipped, as its task says", async () => {
  const r = rig();
  await r.schedule("run", { cron: "0 * * * *" });
  await r.schedule("skip", { cron: "0 * * * *" }, { missed: "skip" });
  await r.schedule("gone", { at_ms: noon_ms + hour_ms }, { missed: "skip" });
  r.pass(5 * hour_ms + 20 * minute_ms);
  const runner = r.runner();
  runner.look();
  await runner.settled();
  expect(r.calls.map(({ reason }) => reason)).toEqual(['task "run": to see']);
  const tasks = new Map((await r.list()).map((task) => [task.name, task]));
  expect(tasks.get("run")).toMatchObject({ next_ms: noon_ms + 6 * hour_ms, runs: 1 });
  expect(tasks.get("skip")).toMatchObject({ next_ms: noon_ms + 6 * hour_ms, runs: 0, last: { status: "missed" } });
  expect(tasks.get("gone")).toMatchObject({ next_ms: null, last: { status: "missed" } });
});

test("a clock that is set: intervals stay as long as they are, wall times stay what they are, nothing runs twice", async () => {
  const r = rig();
  await r.schedule("often", { every_ms: hour_ms });
  await r.schedule("nightly", { cron: "30 13 * * *" });
  const runner = r.runner();
  await live(r, runner, 100 * minute_ms); // 13:40: both have run once
  expect(r.calls.length).toBe(2);
  r.time.wall -= 30 * minute_ms; // set back behind 13:30
  await live(r, runner, 25 * minute_ms);
  expect(r.calls.filter(({ reason }) => reason.includes("nightly")).length).toBe(1);
  expect(r.calls.filter(({ reason }) => reason.includes("often")).length).toBe(2);
  r.time.wall += 3 * day_ms; // set forward: what it passed over was missed, and is run once
  runner.look();
  await runner.settled();
  expect(r.calls.filter(({ reason }) => reason.includes("nightly")).length).toBe(2);
  expect(r.calls.filter(({ reason }) => reason.includes("often")).length).toBe(2);
  r.time.wall -= 400 * day_ms; // it was wrong before: reckoned anew
  runner.look();
  expect((await r.list()).find(({ name }) => name === "nightly")?.next_ms ?? 0).toBeLessThan(r.time.wall + day_ms + 1);
  expect(r.logged.length).toBe(3);
});

test("cut off while a call is made, it is asked for again with the same key and counted once", async () => {
  const r = rig();
  await r.schedule("once", { at_ms: noon_ms + minute_ms });
  r.answers(() => new Promise(() => {})); // the broker dies before there is an answer
  r.pass(minute_ms);
  r.runner().look();
  await Bun.sleep(0);
  const [cut] = r.calls;
  r.known.set(cut?.key ?? "", { call: "00000000-call-5", status: "undone", text: "the broker was interrupted" }); // as recovery finds
  const next = r.runner();
  next.start();
  await next.settled();
  next.stop();
  expect(r.calls.length).toBe(1);
  expect((await r.list())[0]).toMatchObject({
    runs: 1,
    running: false,
    next_ms: null,
    last: { call: "00000000-call-5", status: "undone" },
  });
});

test("one that has not ended is not run beside itself; one that is refused or fails goes on", async () => {
  const r = rig();
  await r.schedule("slow", { every_ms: 5 * minute_ms });
  const { promise, resolve } = Promise.withResolvers<TaskOutcome>();
  r.answers(() => promise);
  const runner = r.runner();
  for (let minute = 0; minute < 11; minute += 1) {
    r.pass(minute_ms);
    runner.look();
  }
  expect(r.calls.length).toBe(1);
  expect((await r.list())[0]).toMatchObject({ running: true, last: { status: "missed", text: "the call before had not ended yet" } });
  resolve({ call: "00000000-call-1", status: "refused", text: "no policy allows it" });
  await runner.settled();
  r.answers(() => {
    throw new Error("broken");
  });
  await live(r, runner, 5 * minute_ms);
  expect((await r.list())[0]).toMatchObject({ runs: 2, last: { status: "failed", text: "broken", call: null } });
});

test("cancelled, it is not run; cancelled while it runs, it stays away; undo brings it back", async () => {
  const r = rig();
  await r.schedule("once", { at_ms: noon_ms + hour_ms });
  const cancelled = await callTool(taskCancel, { name: "once" }, r.context());
  const runner = r.runner();
  await live(r, runner, 2 * hour_ms);
  expect([r.calls.length, (await r.list()).length]).toEqual([0, 0]);
  await cancelled.undo();
  runner.look();
  await runner.settled();
  expect(r.calls.length).toBe(1);
  await r.schedule("again", { every_ms: minute_ms });
  r.answers(async () => {
    await callTool(taskCancel, { name: "again" }, r.context());
    return { call: "00000000-call-2", status: "done", text: "" };
  });
  await live(r, runner, 2 * minute_ms);
  expect([r.calls.length, (await r.list()).map(({ name }) => name)]).toEqual([2, ["once"]]);
});
