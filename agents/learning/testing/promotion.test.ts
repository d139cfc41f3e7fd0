/** A playbook goes down to the reactive tier and comes back, over the real memory. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Decision } from "../../../contracts/decision.ts";
import { Playbook } from "../../../contracts/playbook.ts";
import { successesFor } from "../../../wire/binomial.ts";
import { type Incident, Incidents } from "../../loop/incidents.ts";
import { playbookSource } from "../../loop/options.ts";
import type { BasePorts, LoopPorts } from "../../loop/ports.ts";
import { work } from "../../loop/work.ts";
import { attempt, speaksAgainst } from "../../reactive/attempt.ts";
import { endLeftOver } from "../../reactive/left-over.ts";
import { Promoted } from "../../reactive/promoted.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import { KnownTools } from "../known-tools.ts";
import { type Known, Library } from "../library.ts";
import { promoteAll } from "../promote.ts";
import { dry_runs_min, proven_min } from "../stages.ts";
import { World } from "./world.ts";

const playbook = (name: string, tool: string, alarm: string): Playbook =>
  Playbook.parse({
    ...{ name, alarms: [alarm], does: `the ${name} thing`, watch_ms: 1000 },
    steps: [{ tool, arguments: { name: "{subject}" }, why: "it helps" }],
  });
const bundled = [
  playbook("good", "fix.good", "service-down"),
  playbook("final", "fix.final", "disk-full"),
  playbook("asked", "fix.asked", "dns-silent"),
];

const world = new World();
let base: BasePorts;
let reactive: BasePorts;
let library: Library;
let promoted: Promoted;
/** What the reactive tier has under way. */
let trying: Promise<unknown>[] = [];

beforeAll(async () => {
  [base, reactive] = await Promise.all([world.ports("tactical"), world.ports("reactive")]);
  library = new Library({ ...base, bundled, warn: (text) => void world.said.push(text) });
  promoted = await freshReactive();
}, 60_000);
afterAll(() => world.kill());

/** As a process of the tier that has just been started: what it knows is in documents. */
async function freshReactive(): Promise<Promoted> {
  const own = new Library({ ...reactive, bundled, warn: () => {} });
  await own.refresh(0);
  const made = new Promoted(reactive.ids, reactive.boot_ms);
  made.set(own.all());
  world.onAlarm = (event) => {
    for (const plan of made.take(event)) {
      const record = (decision: Decision) => reactive.memory().call("decisions.append", { decisions: [decision] });
      const go = async (): Promise<void> => {
        await record(plan.decision);
        if (plan.decision.outcome.result !== "pending") return;
        const outcome = await attempt(plan, reactive);
        if (speaksAgainst(plan, outcome)) made.switchOff(plan.known);
        await record({ ...plan.decision, outcome: { ...outcome, after_ms: 1 } });
      };
      trying.push(go());
    }
  };
  return made;
}

let subjects = 0;
/** A fault of a new subject, from the alarm until its incident has ended; null: it was over before there was an incident. */
async function fault(alarm: string, before: (subject: string) => void = () => {}): Promise<{ subject: string; incident: Incident | null }> {
  subjects += 1;
  const subject = `s${subjects}`;
  before(subject);
  await world.tell(subject, true, { alarm });
  await world.triage();
  const incident = (await base.incidents.open()).find(({ body }) => body.key === `${alarm} ${subject}`) ?? null;
  if (incident !== null) {
    const held = await new Incidents(base.memory, "t").take(incident);
    if (held === null) throw new Error("somebody else holds it");
    const sources = [playbookSource(() => library.usable())];
    const ports: LoopPorts = { ...base, tier: "tactical", thresholds: loadThresholds(), sources, above: async () => null };
    await work(held, ports).finally(() => held.release());
  }
  await Promise.all(trying);
  trying = [];
  await learn();
  if (incident === null) return { subject, incident };
  const { item } = await base.memory().call("work.get", { id: incident.id });
  return { subject, incident: item.kind === "incident" ? item : null };
}

async function learn(): Promise<void> {
  if (await promoteAll({ ...base, tools: new KnownTools(base.broker), library })) await library.refresh(0, true);
  const own = new Library({ ...reactive, bundled, warn: () => {} });
  await own.refresh(0);
  promoted.set(own.all());
}

const known = (name: string): Known => {
  const found = library.find(name);
  if (found === null) throw new Error(`there is no playbook "${name}"`);
  return structuredClone(found); // matchers of bun:test write into what they look at
};
const callsOf = (subject: string) => world.made.filter(({ args }) => args["name"] === subject);

test("14 successes in a row make a trial, of the gentle playbook only; nothing but the count has changed for the incident", async () => {
  for (let n = 1; n <= successesFor(proven_min); n += 1) {
    expect(known("good").learning.stage).toBe("playbook");
    await fault("service-down");
    await fault("disk-full");
  }
  expect(known("good")).toMatchObject({
    document: { id: "playbooks/stage-good" },
    learning: { stage: "trial", history: [{ from: "playbook" }] },
  });
  expect(known("final").learning.stage).toBe("playbook");
  expect(world.made.filter(({ caller }) => caller === "reactive")).toEqual([]);
}, 120_000);

test("on trial the reactive tier asks for a dry run and tactical does the work; what agrees often enough makes a rule", async () => {
  for (let n = 1; n <= dry_runs_min; n += 1) {
    expect(known("good").learning.stage).toBe("trial");
    const { subject, incident } = await fault("service-down");
    expect(
      callsOf(subject)
        .map(({ caller, dry_run }) => `${caller} ${dry_run}`)
        .sort(),
    ).toEqual(["reactive true", "tactical false"]);
    expect(incident).toMatchObject({ state: "solved", reason: "playbook good helped" });
  }
  expect(known("good").learning).toMatchObject({
    stage: "rule",
    history: [{ to: "trial" }, { to: "rule", why: expect.stringContaining("19 of 19") }],
  });
}, 60_000);

test("a rule is carried out once, by the reactive tier; tactical waits for it and learns from it", async () => {
  const { subject, incident } = await fault("service-down");
  expect(callsOf(subject)).toMatchObject([{ caller: "reactive", dry_run: false }]);
  // either it was over before there was an incident, or the incident waited for it
  if (incident !== null) expect(incident).toMatchObject({ state: "solved", reason: "playbook good helped" });
  const decisions = await base.memory().call("decisions.list", { limit: 5 });
  expect(decisions.at(-1)).toMatchObject({
    tier: "reactive",
    rule: "playbook good",
    outcome: { result: "done" },
    trigger: { facts: { subject } },
  });
});

test("after a restart of the tier it is still a rule, read from the document", async () => {
  promoted = await freshReactive();
  expect(promoted.count).toBe(1);
  const { subject } = await fault("service-down");
  expect(callsOf(subject)).toMatchObject([{ caller: "reactive" }]);
});

test("a rule that fails is off at once and taken back, the incident goes on with tactical, and its playbook counts the failure", async () => {
  const taken_back = world.taken_back.length;
  const { subject, incident } = await fault("service-down", (name) => world.effects.set(`fix.good ${name}`, { clears: false }));
  expect(callsOf(subject)).toMatchObject([{ caller: "reactive" }]);
  expect(incident).toMatchObject({ state: "handed-over", reason: expect.stringContaining("playbook good") });
  expect(world.taken_back.length).toBe(taken_back + 1);
  expect(known("good").learning).toMatchObject({ stage: "playbook", against: 1 });
  const [record] = await base.memory().call("learning.records", { rules: ["playbook good"], limit: 1 });
  expect(record).toMatchObject({ tier: "reactive", worked: 2, failed: 1 });
  const next = await fault("service-down");
  expect(callsOf(next.subject)).toMatchObject([{ caller: "tactical" }]);
}, 60_000);

test("a rule that was killed in the midst of it holds nobody up for ever", async () => {
  const event = await world.tell("gone", true, { alarm: "service-down" });
  const [last] = (await base.memory().call("decisions.list", { limit: 100 })).filter(
    ({ rule, tier }) => rule === "playbook good" && tier === "reactive",
  );
  if (last === undefined) throw new Error("there is none");
  const boot_ms = world.boot_ms() - 10 * 60_000;
  const orphan = {
    ...last,
    id: reactive.ids.decision(),
    trigger: event,
    boot_ms,
    outcome: { result: "pending", detail: "", after_ms: null },
  } as Decision;
  await reactive.memory().call("decisions.append", { decisions: [orphan] });
  const { incident } = await (async () => {
    await world.triage();
    const open = (await base.incidents.open()).find(({ body }) => body.key === "service-down gone");
    if (open === undefined) throw new Error("there is no incident");
    const held = await new Incidents(base.memory, "t").take(open);
    if (held === null) throw new Error("somebody else holds it");
    const sources = [playbookSource(() => library.usable())];
    await work(held, { ...base, tier: "tactical", thresholds: loadThresholds(), sources, above: async () => null }).finally(() =>
      held.release(),
    );
    return { incident: (await base.memory().call("work.get", { id: open.id })).item };
  })();
  expect(incident).toMatchObject({ state: "handed-over", body: { decisions: [orphan.id] } });
});

test("what a rule began when its tier was killed is taken back by the process that comes after it, and counts as failed", async () => {
  const event = await world.tell("half", true, { alarm: "service-down" });
  const [last] = (await base.memory().call("decisions.list", { limit: 100 })).filter(
    ({ rule, tier }) => rule === "playbook good" && tier === "reactive",
  );
  if (last === undefined) throw new Error("there is none");
  const pending = { result: "pending", detail: "", after_ms: null } as const;
  const half = { ...last, id: reactive.ids.decision(), trigger: event, boot_ms: world.boot_ms(), outcome: pending } as Decision;
  await reactive.memory().call("decisions.append", { decisions: [half] });
  const told: Decision[] = [];
  const ports = { ...reactive, boot: half.id.slice(0, 8), record: (decision: Decision) => void told.push(decision) };
  // its own are under way
  await endLeftOver(half.boot_ms - 1, ports);
  expect(told.map(({ id }) => id)).not.toContain(half.id);
  await endLeftOver(world.boot_ms() + 1, ports);
  expect(world.taken_back).toContain(half.id);
  // a copy: matchers of bun:test write into what they look at
  expect(structuredClone(told.find(({ id }) => id === half.id)?.outcome)).toMatchObject({
    ...{ result: "failed", detail: expect.stringContaining("the tier was ended in the midst of it; ") },
  });
  await reactive.memory().call("decisions.append", { decisions: told });
  expect(await endLeftOver(world.boot_ms() + 1, ports)).toBe(0);
  await world.tell("half", false, { alarm: "service-down" });
}, 20_000);

test("a rule whose alarm is cleared although its try failed leaves an incident that ends", async () => {
  const event = await world.tell("worse", true, { alarm: "service-down" });
  const [last] = (await base.memory().call("decisions.list", { limit: 100 })).filter(
    ({ rule, tier }) => rule === "playbook good" && tier === "reactive",
  );
  if (last === undefined) throw new Error("there is none");
  const pending = { result: "pending", detail: "", after_ms: null } as const;
  const tried = { ...last, id: reactive.ids.decision(), trigger: event, boot_ms: world.boot_ms(), outcome: pending } as Decision;
  const record = (decision: Decision) => reactive.memory().call("decisions.append", { decisions: [decision] });
  await record(tried);
  await world.triage();
  const open = (await base.incidents.open()).find(({ body }) => body.key === "service-down worse");
  const held = open === undefined ? null : await new Incidents(base.memory, "t").take(open);
  if (open === undefined || held === null) throw new Error("there is no incident, or somebody else holds it");
  const sources = [playbookSource(() => library.usable())];
  const working = work(held, { ...base, tier: "tactical", thresholds: loadThresholds(), sources, above: async () => null });
  const stateNow = async () => (await base.memory().call("work.get", { id: open.id })).item.state;
  while ((await stateNow()) !== "watching") await Bun.sleep(5);
  await world.tell("worse", false, { alarm: "service-down" });
  await record({ ...tried, outcome: { result: "failed", detail: "the alarm was cleared, but another was raised", after_ms: 1 } });
  await working.finally(() => held.release());
  expect(await stateNow()).toBe("solved");
  expect(callsOf("worse")).toEqual([]);
}, 20_000);

test("what a person would be asked for is no agreement, and what a rule was not allowed is tactical's to do; only new dry runs count again", async () => {
  const asking = (subject: string): void => void world.effects.set(`fix.asked ${subject}`, { waits_for: "reactive" });
  for (let n = 1; n <= successesFor(proven_min); n += 1) await fault("dns-silent");
  for (let n = 1; n <= dry_runs_min; n += 1) await fault("dns-silent", asking);
  expect(known("asked").learning.stage).toBe("trial");
  const decisions = await base.memory().call("decisions.list", { limit: 100 });
  expect(decisions.findLast(({ rule }) => rule === "trial asked")?.outcome).toMatchObject({
    ...{ result: "refused", detail: expect.stringContaining("a dry run: fix.asked would wait for a person") },
  });
  for (let n = 1; n <= dry_runs_min; n += 1) await fault("dns-silent");
  expect(known("asked").learning.stage).toBe("rule");
  const { subject, incident } = await fault("dns-silent", asking);
  expect(callsOf(subject)).toMatchObject([{ caller: "reactive" }, { caller: "tactical", dry_run: false }]);
  expect(incident).toMatchObject({ state: "solved", reason: "playbook asked helped" });
  expect(known("asked").learning).toMatchObject({ stage: "playbook", against: 1 });
  await learn();
  await learn();
  expect(known("asked").learning.stage).toBe("trial");
}, 60_000);

test("a try that a person took back takes the trial back; made anew, it is tried again", async () => {
  const broker = await world.memory("broker");
  const { subject } = await fault("dns-silent");
  expect(known("asked").learning.stage).toBe("trial");
  const decisions = await base.memory().call("decisions.list", { limit: 100 });
  const helped = decisions.findLast(({ rule, tier }) => rule === "playbook asked" && tier === "tactical");
  expect(helped).toMatchObject({ outcome: { result: "done" }, trigger: { facts: { subject } } });
  const call = "0badcafe-call-777";
  const word = { how: "undone", by: "person:anna", why: "it was to be silent", time_ms: Date.now(), call, tool: "fix.asked" } as const;
  await broker.call("learning.override", { said: [{ say: "override", decision: helped?.id ?? "", ...word }] });
  await learn();
  expect(known("asked").learning).toMatchObject({ stage: "playbook", against: 2 });
  expect(known("asked").learning.history.at(-1)?.why).toContain("(a person took back 1), the last 0 in a row");
  await learn();
  expect(known("asked").learning.stage).toBe("playbook");
  await broker.call("learning.override", { said: [{ say: "anew", call }] });
  await learn();
  expect(known("asked").learning.stage).toBe("trial");
}, 60_000);
