/** The loop: tried, watched, taken back, learned; over the real memory (rig.ts). */

import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { Playbook } from "../../../contracts/playbook.ts";
import { Standing } from "../../shared/standing.ts";
import { Incidents } from "../incidents.ts";
import { type OptionSource, playbookSource } from "../options.ts";
import { incidentRound } from "../rounds.ts";
import { work } from "../work.ts";
import {
  approvals,
  boot_ms,
  decisionsOf,
  effects,
  last,
  made,
  memory,
  open,
  peer,
  playbooks,
  ports,
  startRig,
  stopRig,
  taken_back,
  tell,
  triage,
  worked,
  world,
} from "./rig.ts";

beforeAll(startRig, 60_000);
afterAll(stopRig);

test("noticed, known, tried, solved: one incident however often it is told, with its decision, calls and lesson", async () => {
  const event = tell("web", true);
  effects.set("fix.gentle web", { status: "done", clears: true });
  await triage();
  await triage();
  expect(await open("web")).toMatchObject({ state: "deciding", body: { tier: "tactical", events: [event.id], events_total: 1 } });
  const solved = await worked("web");
  expect(solved).toMatchObject({ state: "solved", reason: "playbook gentle helped", body: { health_before: { other_alarms: 0 } } });
  expect(solved.body.lesson).not.toBeNull();
  const [decision] = await decisionsOf(solved);
  expect(decision).toMatchObject({
    ...{ trigger: { id: event.id }, rule: "playbook gentle", outcome: { result: "done" }, confidence: 0.5 },
    asked: [{ who: "playbooks", said: "playbook gentle, playbook harsh", tokens: 0 }],
    alternatives: [{ what: "playbook harsh", confidence: 0.5 }],
  });
  expect(solved.body.calls).toEqual(made.map(({ call }) => call));
  await triage();
  expect((await last("web")).id).toBe(solved.id);
});

test("what was refused or did not help is taken back and the next is tried; the better record goes first the next time", async () => {
  tell("db", true);
  effects.set("fix.gentle db", { status: "done" });
  effects.set("fix.harsh db", { status: "done", clears: true });
  await triage();
  const solved = await worked("db");
  expect(solved.reason).toBe("playbook harsh helped");
  const decisions = await decisionsOf(solved);
  expect(decisions.map(({ rule, outcome: { result } }) => [rule, result])).toEqual([
    ["playbook gentle", "failed"],
    ["playbook harsh", "done"],
  ]);
  expect(taken_back).toEqual([decisions[0]?.id ?? ""]);
  tell("cache", true);
  effects.set("fix.harsh cache", { status: "done", clears: true });
  await triage();
  const again = await worked("cache");
  expect((await decisionsOf(again)).map(({ rule }) => rule)).toEqual(["playbook harsh"]);
}, 30_000);

test("what helped against this very alarm the last time goes first, whatever has the better record elsewhere", async () => {
  tell("web", false);
  await triage();
  const event = tell("web", true);
  effects.set("fix.harsh web", { status: "done", clears: true });
  await triage();
  const again = await worked("web");
  expect(again.body.events).toEqual([event.id]);
  const [decision, ...more] = await decisionsOf(again);
  expect(decision).toMatchObject({ rule: "playbook gentle", alternatives: [{ what: "playbook harsh" }] });
  expect(more).toEqual([]);
  expect(decision?.alternatives?.[0]?.confidence).toBeGreaterThan(decision?.confidence ?? 1);
  expect(decision?.reason).toContain("and the last time here");
});

test("what found nothing to change is not watched where there is something else to try; the last that is left is", async () => {
  const patient = playbooks.map((one) => ({ ...one, alarms: ["service-down"], watch_ms: 30_000 }));
  tell("queue", true);
  effects.set("fix.harsh queue", { status: "done", unchanged: true });
  effects.set("fix.gentle queue", { status: "done", unchanged: true });
  await triage();
  const held = await new Incidents(() => peer, "t1").take(await open("queue"));
  if (held === null) throw new Error("somebody else holds it");
  const over = work(held, { ...ports, sources: [playbookSource(() => patient)] }).finally(() => held.release());
  const decisions = async () =>
    (await decisionsOf(await last("queue"))).map(({ rule, outcome: { result, detail } }) => [rule, result, detail]);
  while ((await decisions()).length < 2) await Bun.sleep(20);
  expect(await decisions()).toEqual([
    ["playbook harsh", "failed", expect.stringContaining("there was nothing for fix.harsh to change")],
    ["playbook gentle", "pending", expect.anything()],
  ]);
  while ((await last("queue")).state !== "watching") await Bun.sleep(20);
  tell("queue", false);
  await over;
  expect(await last("queue")).toMatchObject({ state: "solved", reason: "playbook gentle helped" });
}, 60_000);

test("a try is watched until what the alarm is about is measured again, however soon its playbook wanted to know", async () => {
  const key = "service-left-behind old";
  const all = playbooks.map((one) => ({ ...one, alarms: ["service-left-behind"] }));
  tell("old", true, "service-left-behind");
  await triage();
  const incidents = new Incidents(() => peer, "t1");
  const found = (await incidents.open()).find(({ body }) => body.key === key);
  const held = found === undefined ? null : await incidents.take(found);
  if (held === null) throw new Error("there is no incident, or somebody else holds it");
  const over = work(held, { ...ports, sources: [playbookSource(() => all)] }).finally(() => held.release());
  while (held.item.state !== "watching") await Bun.sleep(20);
  const [decision] = await decisionsOf(held.item);
  expect(decision?.action).toMatchObject({ do: "call", watch_ms: 330_000 });
  tell("old", false, "service-left-behind");
  await over;
  expect(held.item).toMatchObject({ state: "solved" });
}, 60_000);

test("who only watches takes nobody's place, and the gravest goes first", async () => {
  const patient = playbooks.map((one) => ({ ...one, alarms: ["service-down"], watch_ms: 60_000 }));
  const names = ["one", "two", "three", "four", "five", "six"];
  for (const name of [...names, "gravest"]) {
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} ${name}`, { status: "done" });
    tell(name, true, "service-down", name === "gravest" ? "critical" : "error");
  }
  await triage();
  await triage();
  const round = incidentRound(
    { ...ports, incidents: new Incidents(() => peer, "t9"), log: { info: () => {}, warn: () => {}, error: () => {} } },
    { tier: "tactical", sources: [playbookSource(() => patient)] },
  );
  const began = made.length;
  const states = async () => await Promise.all([...names, "gravest"].map(async (name) => (await last(name)).state));
  while ((await states()).some((state) => state !== "watching")) {
    await round.run();
    await Bun.sleep(20);
  }
  expect(round.busy).toBe(7);
  expect(made[began]?.name).toBe("gravest");
  for (const name of [...names, "gravest"]) tell(name, false);
  while (round.busy > 0) await Bun.sleep(20);
}, 60_000);

test("a chance that was fitted to outcomes decides as it is; one that was not is weighed with the rule's record", async () => {
  const chances = { "playbook gentle": 0.2, "playbook harsh": 0.9 };
  const offering = (calibrated: boolean): OptionSource => ({
    who: "playbooks",
    async offer(matter) {
      const { options, ...offer } = await playbookSource(() => playbooks).offer(matter);
      const judged = Object.entries(chances).flatMap(([rule, confidence]) =>
        options.filter((option) => option.rule === rule).map((option) => ({ ...option, confidence, calibrated })),
      );
      return { ...offer, options: judged };
    },
  });
  const decided = async (subject: string, calibrated: boolean) => {
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} ${subject}`, { status: "done", clears: true });
    tell(subject, true);
    await triage();
    const held = await new Incidents(() => peer, "t1").take(await open(subject));
    if (held === null) throw new Error("somebody else holds it");
    await work(held, { ...ports, sources: [offering(calibrated)] }).finally(() => held.release());
    const [decision] = await decisionsOf(await last(subject));
    return decision;
  };
  expect(await decided("fitted", true)).toMatchObject({ rule: "playbook harsh", confidence: 0.9 });
  const weighed = await decided("guessed", false);
  expect(weighed?.confidence).not.toBe(0.9);
  expect(weighed?.confidence).not.toBe(0.2);
}, 30_000);

test("what was meant for the alarm is tried in the end, however little is thought of it; what only a model has thought of is not", async () => {
  const all = [...playbooks, Playbook.parse({ ...playbooks[0], name: "doubted", rank: 5 })];
  const opinions = new Map([
    ["playbook gentle", 0.9],
    ["playbook harsh", 0.8],
    ["playbook doubted", 0.001],
  ]);
  const source: OptionSource = {
    who: "playbooks",
    async offer(matter) {
      const offer = await playbookSource(() => all).offer(matter);
      const options = offer.options.map((one) => ({ ...one, confidence: opinions.get(one.rule) ?? one.confidence }));
      const [first] = options;
      if (first === undefined) throw new Error("there is no playbook");
      const { meant_for_it: _, ...thought_up } = { ...first, rule: "model fix.gentle", confidence: 0.001 };
      return { ...offer, options: [...options, thought_up] };
    },
  };
  tell("spool", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} spool`, { status: "done", unchanged: true });
  await triage();
  const held = await new Incidents(() => peer, "t1").take(await open("spool"));
  if (held === null) throw new Error("somebody else holds it");
  await work(held, { ...ports, sources: [source] }).finally(() => held.release());
  const rules = (await decisionsOf(await last("spool"))).map(({ rule }) => rule);
  expect(new Set(rules)).toEqual(new Set(["playbook gentle", "playbook harsh", "playbook doubted"]));
  expect(rules.at(-1)).toBe("playbook doubted");
}, 30_000);

test("when nothing helps a person has to look, and the same alarm opens no other incident", async () => {
  tell("mail", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} mail`, { status: "refused" });
  await triage();
  const over = await worked("mail");
  expect(over).toMatchObject({ state: "handed-over", reason: expect.stringContaining("a person has to look: what is known did not help") });
  await triage();
  await triage();
  expect((await last("mail")).id).toBe(over.id);
});

test("what was handed to a person and still stands is taken up again hours later, unless it was refused: what was away may be back", async () => {
  tell("feed", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} feed`, { status: "failed" });
  const hour_ms = 3_600_000;
  const at = (hours: number) => triage(() => boot_ms() + hours * hour_ms);
  await triage();
  const first = await worked("feed");
  expect(first.state).toBe("handed-over");
  await at(0);
  await at(5);
  expect((await last("feed")).id).toBe(first.id);
  await at(7);
  const second = await worked("feed");
  expect(second).toMatchObject({ state: "handed-over" });
  expect(second.id).not.toBe(first.id);
  // twice as long the next time; then what was away is back
  await at(7);
  await at(18);
  expect((await last("feed")).id).toBe(second.id);
  effects.set("fix.gentle feed", { status: "done", clears: true });
  effects.set("fix.harsh feed", { status: "done", clears: true });
  await at(20);
  expect((await worked("feed")).state).toBe("solved");
  // somebody or a policy said no
  await at(100);
  expect((await open("mail").catch(() => null))?.id).toBeUndefined();
}, 30_000);

test("what was handed over while the clock was a year ahead is taken up again no later", async () => {
  tell("year", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} year`, { status: "failed" });
  await triage();
  const first = await worked("year");
  const ahead = spyOn(Date, "now").mockReturnValue(first.changed_ms - 365 * 24 * 3_600_000);
  try {
    await triage();
    await triage(() => boot_ms() + 7 * 3_600_000);
  } finally {
    ahead.mockRestore();
  }
  expect((await last("year")).id).not.toBe(first.id);
  tell("year", false);
  await worked("year");
}, 30_000);

test("an alarm that is cleared while something else became worse is not solved by that", async () => {
  tell("proxy", true);
  const by_record = ["fix.harsh", "fix.gentle"];
  for (const tool of by_record) effects.set(`${tool} proxy`, { status: "done", clears: true, breaks: true });
  const before = taken_back.length;
  await triage();
  const seen = await worked("proxy");
  const decisions = await decisionsOf(seen);
  expect(decisions[0]).toMatchObject({ outcome: { result: "failed", detail: expect.stringContaining("services_down rose from 0 to 1") } });
  expect(taken_back.length).toBe(before + 1);
  expect(seen).toMatchObject({ state: "handed-over", reason: expect.stringContaining("the alarm is cleared, but services_down rose") });
  world.broken_services = 0;
}, 30_000);

test("when another alarm of the same service has come in its place, that is the incident, and no person is called for the first", async () => {
  tell("shop", true);
  effects.set("fix.harsh shop", { status: "refused" });
  effects.set("fix.gentle shop", { status: "refused" });
  await triage();
  tell("shop", true, "service-crash-loop");
  tell("shop", false);
  expect(await worked("shop")).toMatchObject({
    state: "parked",
    reason: expect.stringContaining('it goes on as "service-crash-loop shop"'),
  });
  tell("shop", false, "service-crash-loop");
});

test("a lesser alarm of the same service does not take its place", async () => {
  tell("stall", true);
  await triage();
  tell("stall", true, "service-slow-start", "warning");
  tell("stall", false);
  expect((await worked("stall")).state).toBe("solved");
  tell("stall", false, "service-slow-start", "warning");
});

test("a call that waits for a person waits; killed meanwhile, another process goes on, and no call is made twice", async () => {
  tell("shop", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} shop`, { status: "waiting" });
  await triage();
  const waiting = await worked("shop");
  expect(waiting).toMatchObject({ state: "waiting", body: { waits_for: { what: expect.stringContaining("an approval of fix.") } } });
  expect((await worked("shop")).state).toBe("waiting");
  const mine = made.filter(({ name }) => name === "shop");
  expect(mine).toHaveLength(1);
  approvals.set(mine[0]?.call ?? "", "done");
  tell("shop", false);
  const solved = await worked("shop", "t2");
  expect(solved.state).toBe("solved");
  expect(made.filter(({ name }) => name === "shop")).toHaveLength(1);
});

test("what goes away by itself before anything was done is solved without a decision", async () => {
  tell("ftp", true);
  await triage();
  tell("ftp", false);
  const solved = await worked("ftp");
  expect(solved).toMatchObject({ state: "solved", reason: "it went away by itself", body: { decisions: [], lesson: null } });
});

test("what an earlier boot left open is parked, its try counts neither way, and the alarm is measured anew", async () => {
  const event = tell("old", true);
  effects.set("fix.harsh old", { status: "waiting" });
  effects.set("fix.gentle old", { status: "waiting" });
  await triage();
  expect((await worked("old")).state).toBe("waiting");
  const later = { ...ports, standing: new Standing("0dead000") };
  const held = await new Incidents(() => peer, "t3").take(await open("old"));
  if (held === null) throw new Error("somebody else holds it");
  await work(held, later).finally(() => held.release());
  const left = await last("old");
  expect(left).toMatchObject({ state: "parked", reason: "the machine was started anew before it was over", body: { events: [event.id] } });
  expect((await decisionsOf(left)).map(({ outcome: { result } }) => result)).toEqual(["suppressed"]);
});

test("what a person took back before it was over is solved by nobody, and the lesson says so", async () => {
  tell("www", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} www`, { status: "waiting" });
  await triage();
  const waiting = await worked("www");
  const [decision] = await decisionsOf(waiting);
  const [call] = made.filter(({ name }) => name === "www");
  if (decision === undefined || call === undefined) throw new Error("nothing was tried");
  const word = { how: "undone", by: "person:anna", why: "it is mine", time_ms: Date.now(), call: call.call, tool: call.tool } as const;
  const keeper = await memory.ask("broker");
  await keeper.call("learning.override", { said: [{ say: "override", decision: decision.id, ...word }] });
  approvals.set(call.call, "done");
  tell("www", false);
  const solved = await worked("www", "t4");
  expect(solved).toMatchObject({ state: "solved", reason: "the alarm was cleared, but person:anna took it back" });
  expect(await decisionsOf(solved)).toMatchObject([{ outcome: { result: "overridden", overridden: { was: "done", why: "it is mine" } } }]);
  const [lesson] = await keeper.call("recall", { ids: [solved.body.lesson ?? ""] });
  expect(lesson).toMatchObject({
    kind: "lesson",
    outcome: "undone",
    text: expect.stringContaining("did not help: the alarm was cleared, but"),
  });
});
