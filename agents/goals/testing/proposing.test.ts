/** Goals of the system's own, and goals that wait for a person: the real memory, and a real broker with its policies. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { broker_methods } from "../../../contracts/broker.ts";
import { GoalsAnswer } from "../../../contracts/goal.ts";
import type { WorkChange } from "../../../contracts/memory/working/changes.ts";
import { callerSocket } from "../../../contracts/paths.ts";
import type { Approval } from "../../../contracts/permission.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import { createLog } from "../../../wire/log.ts";
import { connectUnix, silent } from "../../../wire/unix.ts";
import { type Incident, Incidents } from "../../loop/incidents.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import type { BrokerPeer } from "../../shared/ask-tool.ts";
import type { AlarmEvent } from "../../shared/standing.ts";
import { Goals, type HeldGoal } from "../goals.ts";
import { loadPatterns } from "../known.ts";
import { bundled_patterns } from "../patterns/index.ts";
import { Proposer } from "../proposing.ts";
import { pursue } from "../round.ts";
import { Withdrawals } from "../withdrawals.ts";

const folder = mkdtempSync(join(tmpdir(), "proposing-"));
const person = { name: "anna", role: "operator" } as const;
const day_ms = 86_400_000;
let child: Subprocess<"pipe", "pipe", "inherit">;
let tactical: BrokerPeer;
let console_peer: BrokerPeer;
let memory: MemoryService;
let peers: Record<"operational" | "tactical" | "broker", MemoryPeer>;
let events = 0;

beforeAll(async () => {
  memory = await startMemory(diskFolder("proposing"));
  peers = { operational: await memory.ask("operational"), tactical: await memory.ask("tactical"), broker: await memory.ask("broker") };
  const serve = join(import.meta.dir, "../../../tools/testing/serve.ts");
  child = Bun.spawn([process.execPath, serve, folder, "--authority", "policies"], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  let written = "";
  for await (const bytes of child.stdout) {
    written += Buffer.from(bytes).toString();
    if (written.includes("ready\n")) break;
  }
  const connect = (caller: "tactical" | "console"): Promise<BrokerPeer> =>
    connectUnix(callerSocket("broker", caller, join(folder, "run")), { ...silent, calls: broker_methods, tells: {} });
  [tactical, console_peer] = [await connect("tactical"), await connect("console")];
}, 120_000);
afterAll(async () => {
  await memory?.kill();
  child?.kill("SIGKILL");
  await child?.exited;
  rmSync(folder, { recursive: true, force: true });
});

/** @param now_ms how far the wall clock is ahead */
const proposerAt = (now_ms = 0): Proposer =>
  new Proposer({
    ...{ broker: () => tactical, memory: () => peers.tactical, patterns: loadPatterns(bundled_patterns).loaded },
    ...{ proposing: loadThresholds().proposing, now_ms: () => Date.now() + now_ms },
  });

interface Solving {
  readonly alarm?: string;
  readonly outside?: true;
  /** Nobody did anything: it went away. */
  readonly by_itself?: true;
}

/** An incident from its alarm to its end, by the tactical tier. */
async function solved(subject: string, { alarm = "service-down", outside, by_itself }: Solving = {}): Promise<Incident> {
  events += 1;
  const event: AlarmEvent = {
    ...{ id: `0badcafe-reactive-${events}`, time_ms: Date.now(), boot_ms: events, source: "reactive", severity: "error" },
    ...{ kind: "alarm.changed", facts: { alarm, subject, raised: true, value: 1, limit: 1, stood_ms: 0, detail: "it does not run" } },
    ...(outside === undefined ? {} : { untrusted: "disaster" }),
  };
  await new Incidents(() => peers.operational, "o1").report([event]);
  const incidents = new Incidents(() => peers.tactical, "t1");
  const incident = (await incidents.open()).find(({ body }) => body.key === `${alarm} ${subject}`);
  const held = incident === undefined ? null : await incidents.take(incident);
  if (held === null) throw new Error("there is no open incident");
  await held.move("orienting", "looking");
  await held.move("deciding", "known", { tier: "tactical" });
  await held.move("acting", "it is started");
  await held.move("watching", "all calls are made");
  await held.move("learning", "the alarm was cleared");
  await held.move("solved", "it helped", { lesson: by_itself === true ? null : `0badcafe-note-${events}` });
  await held.release();
  return held.item;
}

const waiting = async (service: string): Promise<Approval[]> => {
  const { approvals } = await console_peer.call("approvals/list", { all: false, person });
  return approvals.filter(({ arguments: args }) => args["text"] === `keep service ${service} running`);
};

test("what was solved three times within a day is proposed once, waits for a person, and is a goal by the tier once he says yes", async () => {
  const proposer = proposerAt();
  expect(await proposer.propose(await solved("web"))).toBeNull();
  expect(await proposer.propose(await solved("web"))).toBeNull();
  const third = await solved("web");
  expect(await proposer.propose(third)).toBe(
    'the goal "keep service web running" is proposed, for "service-down web" was solved 3 times within 24 hours: waiting',
  );
  const [approval, ...more] = await waiting("web");
  expect(more).toEqual([]);
  expect(approval).toMatchObject({ principal: "tier:tactical", tool: "goal.add", arguments: { keep: true }, tainted: [] });
  expect(approval?.reason).toMatchObject({ text: expect.stringContaining(third.id), event: third.body.events[0] });
  // nobody has decided: not again, also not after a restart of the tier
  const fourth = await solved("web");
  expect(await proposer.propose(fourth)).toBeNull();
  await proposerAt()
    .propose(fourth)
    .catch((error) => expect(String(error)).toContain("no answer within"));
  expect(await waiting("web")).toHaveLength(1);
  await console_peer.call("approvals/decide", { call: approval?.call ?? "", approve: true, reason: "so be it", person });
  await proposer.propose(await solved("web"));
  const _meta = { reason: { text: "whether it is there" } };
  const { structuredContent } = await tactical.call("tools/call", { name: "goal.list", arguments: {}, _meta });
  const { goals } = GoalsAnswer.parse(structuredContent);
  expect(goals).toMatchObject([
    { state: "new", made_by: "broker (tier:tactical)", body: { text: "keep service web running", keep: true, taint: [] } },
  ]);
}, 60_000);

test("only a service that does not run, only what was done something about, and only lately", async () => {
  for (let time = 0; time < 3; time += 1) {
    expect(await proposerAt().propose(await solved("mail", { by_itself: true }))).toBeNull();
    expect(await proposerAt().propose(await solved("data", { alarm: "disk-full" }))).toBeNull();
    expect(await proposerAt().propose(await solved("web", { alarm: "service-files" }))).toBeNull();
    expect(await proposerAt(day_ms + 60_000).propose(await solved("ftp"))).toBeNull();
  }
  expect(await waiting("mail")).toEqual([]);
  expect(await proposerAt().propose(await solved("ftp"))).toContain("was solved 4 times");
}, 60_000);

test("what there is a goal for, or was, is not proposed: a person who has cancelled it does not want it", async () => {
  const body = { text: "Keep  service shop running", keep: true, check: null, taint: [] };
  const { done } = await peers.broker.call("work.change", { changes: [{ do: "goal", body }], why: "the shop", for: "anna" });
  for (let time = 0; time < 3; time += 1) expect(await proposerAt().propose(await solved("shop"))).toBeNull();
  const [goal] = done;
  const cancel = { do: "move" as const, id: goal?.id ?? "", version: 1, to: "cancelled" };
  await peers.broker.call("work.change", { changes: [cancel], why: "no more", for: "anna" });
  expect(await proposerAt().propose(await solved("shop"))).toBeNull();
  expect(await waiting("shop")).toEqual([]);
}, 60_000);

test("by the real broker a goal that is resumed too early is blocked on its call again, and cancelled it is not asked for any more", async () => {
  const own = { broker: () => tactical, memory: () => peers.tactical, boot_ms: () => 1, wait: () => Bun.sleep(5), log: createLog() };
  const ports = { ...own, above: async () => null, patterns: [], splitter: { split: async () => "there is no model" } };
  const goals = new Goals(own.memory, "t1");
  const byPerson = async (...changes: WorkChange[]): Promise<string> =>
    (await peers.broker.call("work.change", { changes, why: "a person says so", for: "anna" })).done[0]?.id ?? "";
  const id = await byPerson({ do: "goal", body: { text: "wish for more", keep: false, check: null, taint: [] } });
  const held = async (): Promise<HeldGoal> => {
    const goal = (await goals.open()).find((one) => one.id === id);
    const taken = goal === undefined ? null : await goals.take(goal);
    if (taken === null) throw new Error("it cannot be taken");
    return taken;
  };
  const wish = { key: "a", title: "wish", tool: "goal.add", arguments: { text: "keep service more running", keep: true } };
  const way = { purpose: "wish", keep: false, check: null, taint: [], steps: [{ ...wish, needs: [], attempts_max: 2, taint: [] }] };
  const first = await held();
  await first.pursue(way, "planned");
  await pursue(first, ports);
  await first.release();
  const [approval] = await waiting("more");
  expect(first.item).toMatchObject({ state: "blocked", body: { waits_for: { call: approval?.call ?? "none" } } });
  await byPerson({ do: "move", id, version: first.item.version, to: "planning" });
  const again = await held();
  await pursue(again, ports);
  await again.release();
  expect(again.item).toMatchObject({ state: "blocked", body: { waits_for: first.item.body.waits_for } });
  await new Withdrawals(own).look(await goals.open());
  expect(await waiting("more")).toHaveLength(1);
  const plan = await again.plan();
  await byPerson(
    { do: "move", id: plan?.plan.id ?? "", version: plan?.plan.version ?? 0, to: "cancelled" },
    { do: "move", id, version: again.item.version, to: "cancelled" },
  );
  await new Withdrawals(own).look(await goals.open());
  expect(await waiting("more")).toEqual([]);
  expect((await again.plan())?.steps).toMatchObject([
    { state: "failed", body: { result: expect.stringContaining("withdrawn by tier:tactical") } },
  ]);
}, 60_000);

test("an incident with text from outside marks the goal, and that waits for a person even when the tier was granted the tool", async () => {
  const granted = { principal: "tier:tactical", tools: ["goal.add"], resources: [{ kind: "memory", id: "*" }], risk: "compensable" };
  const _meta = { reason: { text: "it may wish" } };
  const given = await console_peer.call("tools/call", {
    ...{ name: "sec.grant", arguments: { ...granted, expires_in_s: 600, reason: "a try" }, _meta, person },
  });
  expect(given._meta).toMatchObject({ status: "done" });
  for (let time = 0; time < 2; time += 1) await solved("cron");
  expect(await proposerAt().propose(await solved("cron"))).toContain("done");
  expect(await waiting("cron")).toEqual([]);
  for (let time = 0; time < 2; time += 1) await solved("queue", { outside: true });
  expect(await proposerAt().propose(await solved("queue", { outside: true }))).toContain("waiting");
  expect((await waiting("queue"))[0]?.tainted).toEqual(["/text"]);
}, 60_000);
