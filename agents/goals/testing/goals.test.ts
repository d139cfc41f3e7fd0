/** Goals over the real memory, with a broker that answers as each case says and makes a keyed call once. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { broker_methods } from "../../../contracts/broker.ts";
import type { WorkChange } from "../../../contracts/memory/working/changes.ts";
import type { JsonObject } from "../../../contracts/memory/working/fields.ts";
import { callerSocket, callerSocketFolder } from "../../../contracts/paths.ts";
import type { Approval } from "../../../contracts/permission.ts";
import { type CallResult, type CallStatus, Reason } from "../../../contracts/tool.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import { createLog } from "../../../wire/log.ts";
import { connectUnix, listenUnix, silent } from "../../../wire/unix.ts";
import type { BrokerPeer } from "../../shared/ask-tool.ts";
import { differs } from "../check.ts";
import { goalChecksRound } from "../checks.ts";
import { type Goal, Goals, type Step, type Way } from "../goals.ts";
import { loadPatterns } from "../known.ts";
import { bundled_patterns } from "../patterns/index.ts";
import { type GoalPorts, pursue } from "../round.ts";
import { Withdrawals } from "../withdrawals.ts";

const patterns = loadPatterns(bundled_patterns).loaded;

/** What comes of a call of a tool; "kill": the broker makes it, and the tier is gone before it hears of it. */
const outcomes = new Map<string, CallStatus | "kill">();
/** What happens while a call of a tool is under way. */
const meanwhile = new Map<string, () => Promise<void>>();
const made: { readonly tool: string; readonly key: string | null; readonly call: string; readonly tainted: readonly string[] }[] = [];
const taken_back: string[] = [];
const withdrawn: string[] = [];
let so = false;
let above: "strategic" | null = null;
const unsure = "the model of this machine is unsure";
let split: Way | string = unsure;

let memory: MemoryService;
let tactical: MemoryPeer;
let operational: MemoryPeer;
let person: MemoryPeer;
let broker: BrokerPeer;
let ports: GoalPorts;

function result(tool: string, call: string, status: CallStatus, content: CallResult["structuredContent"]): CallResult {
  const fixed = { tainted: false, undo: "possible", confirm_by_ms: null, took_ms: 1, policies: [] } as const;
  const text = `it ended as ${status}`;
  return {
    structuredContent: content,
    isError: status !== "done",
    _meta: { call, tool, principal: "tier:tactical", status, text, ...fixed, policies: [] },
  };
}

/** What a person is shown of a call that waits for him. */
let would_change = ["something"];
let approval_state: Approval["state"] = "waiting";
const approvalOf = (tool: string, call: string): Approval => ({
  ...{ call, tool, principal: "tier:tactical", risk: "reversible", arguments: {}, resources: [], tainted: [] },
  ...{ reason: Reason.parse({ text: "a test" }), preview: would_change, final: [], asked_ms: 0, deadline_ms: 1, state: approval_state },
  ...{ decided_by: null, decided_ms: null, decided_why: null, review: null },
});

function answered(tool: string, key: string | null, tainted: readonly string[]): CallResult {
  if (tool === "service.status") return result(tool, "0badcafe-call-1", "done", { service: { state: so ? "ready" : "stopped" } });
  const known = made.find((one) => key !== null && one.key === key);
  const call = known?.call ?? `0badcafe-call-${made.length + 2}`;
  const wanted = outcomes.get(tool) ?? "done";
  // the real one waits with it for a person, until the tier does not wait any more
  if (known !== undefined && wanted === "waiting") throw new Error("nobody has decided within 10 minutes");
  if (known === undefined) {
    made.push({ tool, key, call, tainted });
    if (tool === "service.start") so = true;
    if (wanted === "kill") throw new Error("the tier is gone");
  }
  return result(tool, call, wanted === "kill" ? "done" : wanted, null);
}

beforeAll(async () => {
  memory = await startMemory(diskFolder("goals"));
  [tactical, operational, person] = await Promise.all([memory.ask("tactical"), memory.ask("operational"), memory.ask("broker")]);
  const run = mkdtempSync(join(tmpdir(), "goals-"));
  mkdirSync(callerSocketFolder("broker", "tactical", run), { recursive: true });
  listenUnix(callerSocket("broker", "tactical", run), 0o660, () => ({
    ...silent,
    serves: {
      methods: {
        "tools/call": broker_methods["tools/call"],
        "calls/get": broker_methods["calls/get"],
        "undo/run": broker_methods["undo/run"],
        "calls/cancel": broker_methods["calls/cancel"],
      },
      handlers: {
        "calls/cancel": ({ call }) => {
          withdrawn.push(call);
          return result("make.one", call, "declined", null)._meta;
        },
        "tools/call": async ({ name, _meta }) => {
          await meanwhile.get(name)?.();
          return answered(name, _meta.key, _meta.tainted);
        },
        "calls/get": ({ call }) => {
          const tool = made.find((one) => one.call === call)?.tool ?? "";
          const status = outcomes.get(tool) ?? "done";
          const outcome = status === "waiting" ? null : result(tool, call, status === "kill" ? "done" : status, null)._meta;
          return { outcome, entries: [], approval: outcome === null ? approvalOf(tool, call) : null };
        },
        "undo/run": ({ target }) => {
          if ("group" in target) taken_back.push(target.group);
          const calls = made.filter(({ tool }) => !outcomes.has(tool)).map(({ tool, call }) => ({ call, tool, what: "" }));
          return { outcomes: calls.map(({ tool, call }) => result(tool, call, "done", null)._meta), plan: { calls, obstacles: [] } };
        },
      },
    },
    calls: {},
    tells: {},
  }));
  broker = await connectUnix(callerSocket("broker", "tactical", run), { ...silent, calls: broker_methods, tells: {} });
  ports = {
    broker: () => broker,
    memory: () => tactical,
    above: async () => above,
    wait: () => Bun.sleep(5),
    patterns,
    splitter: { split: async () => split },
  };
}, 60_000);
afterAll(() => memory?.kill());
beforeEach(() => {
  outcomes.clear();
  meanwhile.clear();
  made.splice(0);
  taken_back.splice(0);
  withdrawn.splice(0);
  would_change = ["something"];
  approval_state = "waiting";
  so = false;
  above = null;
  split = unsure;
});

async function wanted(text: string, keep = false): Promise<string> {
  const changes: WorkChange[] = [{ do: "goal", body: { text, keep, check: null, taint: [] } }];
  const { done } = await person.call("work.change", { changes, why: "a person wants it", for: "anna" });
  return done[0]?.id ?? "";
}
async function goalOf(id: string): Promise<Goal> {
  const { item } = await tactical.call("work.get", { id });
  if (item.kind !== "goal") throw new Error(`"${id}" is no goal`);
  return item;
}
/** One look of the tactical tier at it, as one process; what breaks it off is its end. */
async function worked(id: string, holder = "t1"): Promise<Goal> {
  const held = await new Goals(() => tactical, holder).take(await goalOf(id));
  if (held === null) throw new Error("somebody else holds it");
  await pursue(held, ports)
    .catch(() => {})
    .finally(() => held.release());
  return await goalOf(id);
}
/** As the strategic tier would. */
async function planned(
  id: string,
  steps: readonly { key: string; tool: string; arguments?: JsonObject; needs?: string[]; taint?: string[] }[],
  taint: string[] = [],
  check: Way["check"] = null,
) {
  const held = await new Goals(() => tactical, "s1").take(await goalOf(id));
  if (held === null) throw new Error("somebody else holds it");
  const drafts = steps.map(({ key, tool, arguments: args = {}, needs = [], taint: of = [] }) => ({
    ...{ key, title: key, tool, arguments: args, needs, attempts_max: 2, taint: of },
  }));
  await held.pursue({ purpose: "a plan", steps: drafts, keep: false, check, taint }, "planned");
  await held.release();
}
/** As goal.pause, goal.cancel and goal.resume do. */
async function moved(id: string, to: "paused" | "cancelled" | "planning"): Promise<void> {
  const { version } = await goalOf(id);
  const changes: WorkChange[] = [{ do: "move", id, version, to }];
  const { items } = await person.call("work.list", { kinds: ["plan"], parent: id, limit: 1 });
  const [plan] = items;
  if (plan !== undefined && !plan.ended && to !== "planning")
    changes.unshift({ do: "move", id: plan.id, version: plan.version, to: to === "paused" ? "held" : "cancelled" });
  await person.call("work.change", { changes, why: "a person says so", for: "anna" });
}
async function stepsOf(id: string): Promise<Step[]> {
  const { items } = await tactical.call("work.list", { kinds: ["plan"], parent: id, limit: 1 });
  const { parts } = await tactical.call("work.get", { id: items[0]?.id ?? "" });
  return parts.filter((part): part is Step => part.kind === "step");
}
/** The operational tier's checks, by a clock that is moved by hand. */
let now_ms = 1000;
const checksOf = (wait: () => Promise<unknown>) =>
  goalChecksRound({ broker: () => broker, memory: () => operational, boot_ms: () => now_ms, wait, log: createLog() });
const tools = (): string[] => made.map(({ tool }) => tool);

test("a known form of words is planned, done, kept, found drifted by the operational tier, and repaired", async () => {
  const id = await wanted("Keep the service  web running.");
  const kept = await worked(id);
  expect(kept).toMatchObject({
    state: "kept",
    body: { keep: true, progress: 1, check: { tool: "service.status", arguments: { name: "web" } } },
  });
  so = false;
  const checks = checksOf(() => Bun.sleep(1));
  await checks.run();
  expect((await goalOf(id)).state).toBe("kept");
  now_ms += 60_000;
  await checks.run();
  while (checks.busy > 0) await Bun.sleep(5);
  expect(await goalOf(id)).toMatchObject({ state: "drifted", reason: 'it is not so any more: service: state is "stopped", not "ready"' });
  expect(await worked(id)).toMatchObject({ state: "kept" });
  expect(tools()).toEqual(["service.start", "service.start"]);
});

async function becomesSo(): Promise<void> {
  so = true;
}

test("what goes away before the second look is no drift", async () => {
  const id = await wanted("keep service db up");
  await worked(id);
  so = false;
  const checks = checksOf(becomesSo);
  await checks.run();
  now_ms += 60_000;
  await checks.run();
  while (checks.busy > 0) await Bun.sleep(5);
  expect(await goalOf(id)).toMatchObject({ state: "kept" });
});

const two_steps: Way = {
  ...{ purpose: "tea", keep: false, check: null, taint: [] },
  steps: [
    { key: "step-1", title: "boil", tool: "water.boil", arguments: { litres: 1 }, needs: [], attempts_max: 2, taint: [] },
    { key: "step-2", title: "pour", tool: "water.pour", arguments: {}, needs: ["step-1"], attempts_max: 2, taint: [] },
  ],
};

test("what the model of this machine splits it into is read by a person first; nothing is done before he resumes the goal", async () => {
  split = two_steps;
  const id = await wanted("make some tea");
  expect(await worked(id)).toMatchObject({
    state: "blocked",
    body: {
      waits_for: {
        call: null,
        what: `a person's agreement (goal.show has the whole plan; resume the goal to have it carried out, or cancel it): the model of this machine would call 1. water.boil {"litres":1}; 2. water.pour {}`,
      },
    },
  });
  expect(await worked(id)).toMatchObject({ state: "blocked" });
  expect(tools()).toEqual([]);
  await moved(id, "planning");
  expect(await worked(id)).toMatchObject({ state: "done" });
  expect(tools()).toEqual(["water.boil", "water.pour"]);
});

test("what the strategic tier hands back down because it can ask nobody is split by the model of this machine, once", async () => {
  above = "strategic";
  const id = await wanted("make green tea");
  expect(await worked(id)).toMatchObject({ state: "planning", changed_by: "tactical" });
  const strategic = await memory.ask("strategic");
  const handBack = async (what: string): Promise<void> => {
    const held = await new Goals(() => strategic, "s1").take(await goalOf(id));
    const patch = { waits_for: { call: null, what } };
    await held?.change([{ do: "edit", id, version: held.item.version, patch }], "handed back");
    await held?.release();
  };
  await handBack("the budget of this day is spent");
  expect(await worked(id)).toMatchObject({
    state: "blocked",
    body: {
      waits_for: { what: expect.stringMatching(/no provider can be asked: the budget of this day is spent; .* is unsure; see to that/) },
    },
  });
  await moved(id, "planning");
  expect(await worked(id)).toMatchObject({ state: "planning", changed_by: "tactical" });
  split = two_steps;
  await handBack("offline");
  expect(await worked(id)).toMatchObject({ state: "blocked", body: { waits_for: { what: expect.stringContaining("agreement") } } });
});

test("without a plan and a model it is blocked with what is missing; with one it is handed up, and left alone", async () => {
  const id = await wanted("make tea");
  expect(await worked(id)).toMatchObject({
    state: "blocked",
    body: { waits_for: { what: expect.stringContaining("tiers.strategic.providers") } },
  });
  above = "strategic";
  await moved(id, "planning");
  expect(await worked(id)).toMatchObject({
    state: "planning",
    changed_by: "tactical",
    reason: "no plan is known: the strategic tier is asked",
  });
  const { version } = await goalOf(id);
  expect((await worked(id)).version).toBe(version);
});

test("steps go in the order of their needs; the same words a second time use the plan that was carried out", async () => {
  above = "strategic";
  const id = await wanted("serve the moon");
  await worked(id);
  await planned(id, [
    { key: "b", tool: "make.two", needs: ["a"] },
    { key: "a", tool: "make.one" },
  ]);
  expect(await worked(id)).toMatchObject({ state: "done", body: { progress: 1 } });
  expect(tools()).toEqual(["make.one", "make.two"]);
  above = null;
  const again = await wanted(" Serve  the Moon ");
  expect(await worked(again)).toMatchObject({ state: "done" });
  expect(tools()).toEqual(["make.one", "make.two", "make.one", "make.two"]);
  expect(new Set(made.map(({ key }) => key)).size).toBe(4);
});

test("killed after a call was made, another process goes on, and no call is made twice", async () => {
  above = "strategic";
  const id = await wanted("survive a kill");
  await worked(id);
  await planned(id, [
    { key: "a", tool: "make.one" },
    { key: "b", tool: "make.two", needs: ["a"] },
  ]);
  outcomes.set("make.one", "kill");
  expect(await worked(id)).toMatchObject({ state: "working" });
  expect((await stepsOf(id)).map(({ state }) => state)).toEqual(["running", "pending"]);
  expect(await worked(id, "t2")).toMatchObject({ state: "done" });
  expect(tools()).toEqual(["make.one", "make.two"]);
});

test("what needs an approval blocks the goal with what for, and it goes on when it is given, or ends when it is not", async () => {
  above = "strategic";
  const id = await wanted("ask first");
  await worked(id);
  await planned(
    id,
    [
      { key: "a", tool: "make.one", taint: ["tool:service.logs"] },
      { key: "b", tool: "make.two" },
    ],
    ["tool:service.logs"],
  );
  outcomes.set("make.one", "waiting");
  const blocked = await worked(id);
  expect(blocked).toMatchObject({
    state: "blocked",
    body: { waits_for: { call: made[0]?.call, what: expect.stringContaining("an approval of make.one") } },
  });
  expect(made[0]?.tainted).toEqual([""]);
  expect((await worked(id)).version).toBe(blocked.version);
  outcomes.set("make.one", "done");
  expect(await worked(id)).toMatchObject({ state: "done" });
  expect(tools()).toEqual(["make.one", "make.two"]);
  const other = await wanted("ask in vain");
  await worked(other);
  await planned(other, [{ key: "a", tool: "make.three" }]);
  outcomes.set("make.three", "waiting");
  await worked(other);
  above = null;
  outcomes.set("make.three", "declined");
  expect(await worked(other)).toMatchObject({
    state: "blocked",
    body: { waits_for: { call: null, what: expect.stringContaining("declined") } },
  });
  expect(taken_back).toHaveLength(1);
});

test("a goal that is resumed while its call still waits for a person is blocked on it again, and goes on once he has decided", async () => {
  above = "strategic";
  const id = await wanted("ask once");
  await worked(id);
  await planned(id, [{ key: "a", tool: "make.one" }]);
  outcomes.set("make.one", "waiting");
  const { waits_for } = (await worked(id)).body;
  for (const _ of [1, 2]) {
    await moved(id, "planning");
    expect(await worked(id)).toMatchObject({ state: "blocked", body: { waits_for: { call: made[0]?.call, what: waits_for?.what } } });
    expect((await stepsOf(id)).map(({ state, body }) => [state, body.waits_for?.call])).toEqual([["waiting", made[0]?.call]]);
  }
  outcomes.set("make.one", "done");
  expect(await worked(id)).toMatchObject({ state: "done" });
  expect(tools()).toEqual(["make.one"]);
});

test("a goal that is paused while the broker asks a person for its call knows which call waits, and is blocked on it when it is resumed", async () => {
  above = "strategic";
  const id = await wanted("pause meanwhile");
  await worked(id);
  await planned(id, [{ key: "a", tool: "make.one" }]);
  outcomes.set("make.one", "waiting");
  meanwhile.set("make.one", () => moved(id, "paused"));
  expect(await worked(id)).toMatchObject({ state: "paused" });
  meanwhile.clear();
  expect((await stepsOf(id)).map(({ state, body }) => [state, body.waits_for?.call])).toEqual([["waiting", made[0]?.call]]);
  await moved(id, "planning");
  expect(await worked(id)).toMatchObject({ state: "blocked", body: { waits_for: { call: made[0]?.call } } });
  outcomes.set("make.one", "done");
  expect(await worked(id)).toMatchObject({ state: "done" });
});

test("what would change nothing is no question to a person", async () => {
  above = "strategic";
  const id = await wanted("be so already");
  await worked(id);
  await planned(id, [{ key: "a", tool: "make.one" }]);
  outcomes.set("make.one", "waiting");
  would_change = [];
  expect(await worked(id)).toMatchObject({ state: "done" });
  expect(withdrawn).toEqual([made[0]?.call ?? ""]);
});

test("of a plan that failed the steps that were taken back are undone", async () => {
  above = "strategic";
  const id = await wanted("fail at the end");
  await worked(id);
  await planned(id, [
    { key: "a", tool: "make.one" },
    { key: "b", tool: "make.two", needs: ["a"] },
  ]);
  outcomes.set("make.two", "refused");
  expect(await worked(id)).toMatchObject({ state: "planning", reason: expect.stringContaining("taken back: make.one") });
  const { items } = await tactical.call("work.list", { kinds: ["plan"], parent: id, limit: 1 });
  const { parts } = await tactical.call("work.get", { id: items[0]?.id ?? "" });
  expect(parts.filter((part): part is Step => part.kind === "step").map(({ body, state }) => [body.key, state])).toEqual([
    ["a", "undone"],
    ["b", "failed"],
  ]);
});

test("a step that fails is tried again; then another plan is asked for once, and after that a person has to look", async () => {
  above = "strategic";
  const id = await wanted("fail");
  await worked(id);
  outcomes.set("make.one", "failed");
  await planned(id, [{ key: "a", tool: "make.one" }]);
  expect(await worked(id)).toMatchObject({ state: "planning", reason: expect.stringContaining("another plan is needed") });
  expect(made).toHaveLength(2);
  await planned(id, [{ key: "a", tool: "make.one" }]);
  expect(await worked(id)).toMatchObject({
    state: "blocked",
    body: { waits_for: { what: expect.stringContaining("a person's decision") } },
  });
  expect(taken_back).toHaveLength(2);
});

test("paused between two steps the next does not begin; resumed it goes on where it was", async () => {
  above = "strategic";
  const id = await wanted("be patient");
  await worked(id);
  await planned(id, [
    { key: "a", tool: "make.one" },
    { key: "b", tool: "make.two", needs: ["a"] },
  ]);
  outcomes.set("make.one", "kill");
  await worked(id);
  await moved(id, "paused");
  expect(await worked(id)).toMatchObject({ state: "paused" });
  expect(tools()).toEqual(["make.one"]);
  await moved(id, "planning");
  expect(await worked(id)).toMatchObject({ state: "done" });
  expect(tools()).toEqual(["make.one", "make.two"]);
  const cancelled = await wanted("be nothing");
  await worked(cancelled);
  await moved(cancelled, "cancelled");
  expect(await worked(cancelled)).toMatchObject({ state: "cancelled", ended: true });
});

for (const to of ["paused", "cancelled"] as const)
  test(`what a plan has done stays when the goal is ${to} during the last attempt of a step, which fails then`, async () => {
    above = "strategic";
    const id = await wanted(`fail unseen, ${to}`);
    await worked(id);
    await planned(id, [
      { key: "a", tool: "make.one" },
      { key: "b", tool: "make.two", needs: ["a"] },
    ]);
    outcomes.set("make.two", "refused");
    meanwhile.set("make.two", () => moved(id, to));
    expect(await worked(id)).toMatchObject({ state: to });
    expect(taken_back).toEqual([]);
    expect((await stepsOf(id)).map(({ state }) => state)).toEqual(["done", "failed"]);
    if (to === "cancelled") return;
    await moved(id, "planning");
    expect(await worked(id)).toMatchObject({
      state: "planning",
      reason: expect.stringMatching(/another plan is needed: step "b" \(make.two\): refused: .*; taken back: make.one/),
    });
    expect(taken_back).toHaveLength(1);
  });

for (const to of ["paused", "cancelled"] as const)
  test(`what a plan has done stays when the goal is ${to} before it has become so`, async () => {
    above = "strategic";
    const id = await wanted(`become so late, ${to}`);
    await worked(id);
    const check = { tool: "service.status", arguments: { name: "web" }, every_ms: 1000, expect: { service: { state: "ready" } } };
    await planned(id, [{ key: "a", tool: "make.one" }], [], check);
    const wait = ports.wait;
    ports = { ...ports, wait: async () => ((await goalOf(id)).state === "working" ? await moved(id, to) : await wait(5)) };
    const begun_ms = performance.now();
    expect(await worked(id)).toMatchObject({ state: to });
    ports = { ...ports, wait };
    expect(performance.now() - begun_ms).toBeLessThan(10_000);
    expect(taken_back).toEqual([]);
    if (to === "cancelled") return;
    so = true;
    await moved(id, "planning");
    expect(await worked(id)).toMatchObject({ state: "done" });
  });

/** The first looks of a tactical tier that has just been started. @returns all calls that were withdrawn */
async function withdrawnAnew(): Promise<readonly string[]> {
  const withdrawals = new Withdrawals({ broker: () => broker, memory: () => tactical, boot_ms: () => 1, log: createLog() });
  const goals = new Goals(() => tactical, "t1");
  for (const _ of [1, 2]) await withdrawals.look(await goals.open());
  return withdrawn;
}
/** @returns the goal, and its call that waits */
async function waitingFor(text: string): Promise<{ id: string; call: string }> {
  above = "strategic";
  const id = await wanted(text);
  await worked(id);
  await planned(id, [{ key: "a", tool: "make.one" }]);
  outcomes.set("make.one", "waiting");
  await worked(id);
  const [step] = await stepsOf(id);
  return { id, call: step?.body.waits_for?.call ?? "" };
}

test("a goal that is cancelled while its call waits for a person takes the call back, one that is paused does not", async () => {
  const { id, call } = await waitingFor("wait for nobody");
  expect(await withdrawnAnew()).toEqual([]);
  await moved(id, "paused");
  expect(await withdrawnAnew()).toEqual([]);
  await moved(id, "cancelled");
  expect(await withdrawnAnew()).toEqual([call]);
  expect(await stepsOf(id)).toMatchObject([{ state: "failed", body: { waits_for: null, result: "declined: it ended as declined" } }]);
  expect(await withdrawnAnew()).toEqual([call]);
});

test("what waited for a goal that was cancelled while the tier was away, or while it asked, is withdrawn once it looks", async () => {
  const { id, call } = await waitingFor("wait for the tier");
  await moved(id, "cancelled");
  expect(await withdrawnAnew()).toEqual([call]);
  const asking = await wanted("ask too late");
  await worked(asking);
  await planned(asking, [{ key: "a", tool: "make.two" }]);
  outcomes.set("make.two", "waiting");
  meanwhile.set("make.two", () => moved(asking, "cancelled"));
  expect(await worked(asking)).toMatchObject({ state: "cancelled" });
  expect(await withdrawnAnew()).toEqual([call, made[1]?.call ?? ""]);
});

test("a goal that was cancelled and is pursued again at once does not keep the call of its earlier plan", async () => {
  const { id, call } = await waitingFor("think again");
  await moved(id, "cancelled");
  await moved(id, "planning");
  await worked(id);
  expect(await goalOf(id)).toMatchObject({ state: "planning", ended: false });
  expect(await withdrawnAnew()).toEqual([call]);
});

test("a call that was approved before its goal was cancelled is not ended while it runs, and what came of it is written to its step", async () => {
  const { id } = await waitingFor("be too late");
  approval_state = "approved";
  await moved(id, "cancelled");
  expect(await withdrawnAnew()).toEqual([]);
  expect(await stepsOf(id)).toMatchObject([{ state: "waiting" }]);
  outcomes.set("make.one", "done");
  expect(await withdrawnAnew()).toEqual([]);
  expect(await stepsOf(id)).toMatchObject([{ state: "done", body: { result: "done: it ended as done" } }]);
});

test("more goals than fit into one answer of memory are all read: the oldest one is still checked", async () => {
  const oldest = await wanted("keep service oldest running");
  await worked(oldest);
  so = false;
  const checks = checksOf(() => Bun.sleep(1));
  await checks.run();
  const many = await Promise.all(Array.from({ length: 120 }, (_, at) => wanted(`${at} `.padEnd(2000, "long "))));
  now_ms += 60_000;
  await checks.run();
  while (checks.busy > 0) await Bun.sleep(5);
  expect((await goalOf(oldest)).state).toBe("drifted");
  const open = await new Goals(() => tactical, "t1").open();
  expect(open.slice(-many.length).map(({ id }) => id)).toEqual(many.toSorted(byNumber));
  for (const id of many) await moved(id, "cancelled");
});

test("a plan with more in its steps than fits into one answer is carried out to its end", async () => {
  above = "strategic";
  const id = await wanted("do very much");
  await worked(id);
  const keys = Array.from({ length: 40 }, (_, at) => `step-${at}`);
  await planned(
    id,
    keys.map((key) => ({ key, tool: "make.one", arguments: { text: key.padEnd(5000, ".") } })),
  );
  expect(await worked(id)).toMatchObject({ state: "done" });
  expect(made).toHaveLength(keys.length);
});

/** In the order of making. */
const byNumber = (a: string, b: string): number => Number(a.split("-").at(-1)) - Number(b.split("-").at(-1));

test("what of an answer is not as expected is said", () => {
  expect(differs({ a: 1, b: { c: [1], d: 2 } }, { b: { c: [1] } })).toBeNull();
  expect(differs({ a: 1 }, { a: 2 })).toBe("a is 1, not 2");
  expect(differs({ b: { c: 1 } }, { b: { c: 2 } })).toBe("b: c is 1, not 2");
  expect(differs({}, { a: null })).toBe("a is nothing, not null");
});
