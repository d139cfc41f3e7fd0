import { expect, test } from "bun:test";
import type { Decision } from "../contracts/decision.ts";
import type { WorkChange } from "../contracts/memory/working/changes.ts";
import { Why, why_chars_max } from "../contracts/why.ts";
import { Keeper } from "./keeper.ts";
import { testClock } from "./testing/clock.ts";
import { diskFolder } from "./testing/folder.ts";
import { boot, decisionOn, exitedEvent, noteMemory } from "./testing/records.ts";
import { whyOf } from "./why.ts";
import { workingHandlers } from "./working/handlers.ts";

const newKeeper = (): Keeper => new Keeper(diskFolder("why"));

test("the trigger, the decision first, and what happened to the same service", () => {
  const { parts } = newKeeper();
  const { store } = parts;
  const trigger = exitedEvent(10);
  const others = [
    exitedEvent(8),
    exitedEvent(9, "broker"),
    exitedEvent(12),
    exitedEvent(200),
    { ...exitedEvent(11), id: "11111111-init-11" },
  ];
  store.commit(() => [trigger, ...others].map((event) => store.addEvent(event)));
  store.commit(() => [1, 2].map((n) => store.putDecision(decisionOn(trigger, n))));
  const by_decision = whyOf(parts, `${boot}-d-reactive-2`);
  expect(by_decision?.event).toEqual(trigger);
  expect(by_decision?.decisions.map((decision) => decision.id)).toEqual([`${boot}-d-reactive-2`, `${boot}-d-reactive-1`]);
  expect(by_decision?.around.map((event) => event.id)).toEqual([8, 10, 12].map((n) => `${boot}-init-${n}`));
  expect(by_decision).toMatchObject({ incidents: [], memories: [] });
  expect(whyOf(parts, trigger.id)?.decisions).toHaveLength(2);
  expect(whyOf(parts, `${boot}-init-999`)).toBeNull();
});

test("a decision whose trigger was not stored still tells it", () => {
  const { parts } = newKeeper();
  parts.store.commit(() => parts.store.putDecision(decisionOn(exitedEvent(1), 1)));
  expect(whyOf(parts, `${boot}-d-reactive-1`)?.event).toEqual(exitedEvent(1));
});

/** An incident of event 1, with the note and the decision of it. */
async function worked(keeper: Keeper, decision: Decision | null): Promise<string> {
  const work = workingHandlers(keeper, testClock(5000), "tactical");
  const body = { key: "down nginx", summary: "nginx is down", severity: "error" as const, service: "nginx", taint: [] as string[] };
  const change = async (why: string, one: WorkChange, fences: Record<string, number> = {}) =>
    (await work["work.change"]({ changes: [one], why, fences })).done[0]?.id ?? "";
  const id = await change("alarm service-down stands", { do: "incident", body: { ...body, events: [`${boot}-init-1`] } });
  const { fence } = (await work["lease.acquire"]({ id, holder: "1", ttl_ms: 10_000 })).lease;
  const move = (why: string, version: number, to: string, patch = {}) =>
    change(why, { do: "move", id, version, to, patch }, { [id]: fence });
  await move("memory is asked", 1, "orienting");
  await move("no playbook fits", 2, "deciding", { memories: [`${boot}-note-2`] });
  if (decision === null) await move("a person has to look: nothing is known against it", 3, "handed-over");
  else {
    await move("it is started anew", 3, "acting", { decisions: [decision.id], calls: [`${boot}-call-7`] });
    await move("whether it stays", 4, "watching");
    await move("the alarm was cleared", 5, "learning", { lesson: `${boot}-note-3` });
    await move("it helped", 6, "solved");
  }
  return id;
}

test("which incident it became, what was known, what was decided and learned: by the event, the decision and the incident", async () => {
  const keeper = newKeeper();
  const { store, longterm } = keeper.parts;
  // of an alarm that came later and belongs to the same
  const decision = { ...decisionOn(exitedEvent(5, "nginx"), 4, "done"), based_on: [`${boot}-note-2`, `${boot}-note-4`] };
  store.commit(() => store.addEvent(exitedEvent(1, "nginx")));
  const long = { ...noteMemory(3, null), text: "start it anew. ".repeat(100) };
  store.commit(() => [noteMemory(2, "worked"), long, noteMemory(4, null)].map((memory) => longterm.put(memory)));
  store.commit(() => store.putDecision(decision));
  const id = await worked(keeper, decision);
  for (const asked of [`${boot}-init-1`, decision.id, id]) {
    const why = Why.parse(whyOf(keeper.parts, asked));
    expect(why.id).toBe(asked);
    expect(why.decisions).toEqual([decision]);
    expect(why.memories.map((one) => [one.id, one.outcome])).toEqual([
      [`${boot}-note-2`, "worked"],
      [`${boot}-note-4`, null],
    ]);
    expect(why.incidents).toMatchObject([{ id, state: "solved", summary: "nginx is down", calls: [`${boot}-call-7`] }]);
    const [incident] = why.incidents;
    expect(incident?.steps.map(({ to, why: because }) => `${to}: ${because}`)).toEqual([
      "observing: alarm service-down stands",
      "orienting: memory is asked",
      "deciding: no playbook fits",
      "acting: it is started anew",
      "watching: whether it stays",
      "learning: the alarm was cleared",
      "solved: it helped",
    ]);
    expect(incident?.lesson).toMatchObject({ id: `${boot}-note-3`, from_outside: true });
    expect(incident?.lesson?.text).toHaveLength(why_chars_max);
  }
  expect(whyOf(keeper.parts, `${boot}-init-1`)?.event).toEqual(exitedEvent(1, "nginx"));
  expect(whyOf(keeper.parts, decision.id)?.event).toEqual(exitedEvent(5, "nginx"));
  expect(whyOf(keeper.parts, id)?.event).toEqual(exitedEvent(1, "nginx"));
  keeper.close();
});

/** A goal about nginx that is kept, with its plan. @returns its id, and those of plan and step */
async function kept(keeper: Keeper, time_ms: number): Promise<{ goal: string; plan: string; step: string }> {
  const person = workingHandlers(keeper, testClock(time_ms), "broker");
  const work = workingHandlers(keeper, testClock(time_ms), "tactical");
  const body = { text: "keep service nginx running", keep: true, check: null, taint: [] };
  const asked = await person["work.change"]({ changes: [{ do: "goal", body }], why: "the shop needs it", for: "anna" });
  const goal = asked.done[0]?.id ?? "";
  const { fence } = (await work["lease.acquire"]({ id: goal, holder: "1", ttl_ms: 10_000 })).lease;
  const change = (why: string, ...changes: WorkChange[]) => work["work.change"]({ changes, why, fences: { [goal]: fence } });
  const check = { tool: "service.status", arguments: { name: "nginx" }, expect: { service: { state: "ready" } }, every_ms: 5000 };
  await change("a plan is looked for", { do: "move", id: goal, version: 1, to: "planning" });
  const start = {
    key: "start",
    title: "it is started",
    tool: "service.start",
    arguments: { name: "nginx" },
    needs: [],
    attempts_max: 2,
    taint: [],
  };
  const made = await change("its plan is known from the form service-running", {
    ...{ do: "plan", parent: goal, body: { purpose: "keeps nginx running", playbook: null, taint: [] }, steps: [start] },
  });
  const plan = made.done[0]?.id ?? "";
  const step = made.done[0]?.steps?.[0]?.id ?? "";
  await change("it is begun", { do: "move", id: plan, version: 1, to: "active" });
  await change("it is begun", { do: "move", id: goal, version: 2, to: "working", patch: { check } });
  await change('step "start" begins', { do: "move", id: step, version: 1, to: "running" });
  const result = `done: ${"started ".repeat(100)}`;
  await change("it is started", { do: "move", id: step, version: 2, to: "done", patch: { result, calls: [`${boot}-call-3`] } });
  await change("all steps are done", { do: "move", id: plan, version: 2, to: "done" }, { do: "move", id: goal, version: 3, to: "kept" });
  return { goal, plan, step };
}

test("a goal tells what it is, every move and why, its plan, and what was done about its services: by itself, its plan and its step", async () => {
  const keeper = newKeeper();
  const decision = decisionOn(exitedEvent(5, "nginx"), 4, "done");
  keeper.parts.store.commit(() => keeper.parts.store.putDecision(decision));
  const { goal, plan, step } = await kept(keeper, 4000);
  const incident = await worked(keeper, decision);
  for (const id of [goal, plan, step]) {
    const why = Why.parse(whyOf(keeper.parts, id));
    expect(why).toMatchObject({ id, event: null, around: [], decisions: [decision], incidents: [{ id: incident, state: "solved" }] });
    expect(why.goal).toMatchObject({ id: goal, text: "keep service nginx running", state: "kept", keep: true, waits_for: null });
    expect(why.goal?.made_by).toContain("anna");
    expect(why.goal?.moves.map(({ to, why: because }) => `${to}: ${because}`)).toEqual([
      "new: the shop needs it",
      "planning: a plan is looked for",
      "working: it is begun",
      "kept: all steps are done",
    ]);
    expect(why.goal?.plans).toMatchObject([{ id: plan, state: "done", purpose: "keeps nginx running", why: "all steps are done" }]);
    const [first] = why.goal?.plans[0]?.steps ?? [];
    expect(first).toMatchObject({ id: step, state: "done", tool: "service.start", calls: [`${boot}-call-3`] });
    expect(first?.result).toHaveLength(why_chars_max);
  }
  expect(whyOf(keeper.parts, incident)?.goal).toBeNull();
  keeper.close();
});

test("an incident from before a goal, or about another service, did not serve it", async () => {
  const keeper = newKeeper();
  await worked(keeper, null);
  const { goal } = await kept(keeper, 9000);
  const tactical = workingHandlers(keeper, testClock(9500), "tactical");
  const other = { key: "down db", summary: "db is down", severity: "error" as const, service: "db", taint: [], events: [`${boot}-init-2`] };
  await tactical["work.change"]({ changes: [{ do: "incident", body: other }], why: "another" });
  expect(whyOf(keeper.parts, goal)).toMatchObject({ incidents: [], decisions: [] });
  expect(whyOf(keeper.parts, `${boot}-goal-1`)).toBeNull();
  keeper.close();
});

test("nothing was decided and it is with a person: that is told, also when its event is not held any more", async () => {
  const keeper = newKeeper();
  const id = await worked(keeper, null);
  expect(whyOf(keeper.parts, id)).toMatchObject({ event: null, around: [], decisions: [], incidents: [{ state: "handed-over" }] });
  const { store } = keeper.parts;
  store.commit(() => store.addEvent(exitedEvent(1, "nginx")));
  const why = whyOf(keeper.parts, `${boot}-init-1`);
  expect(why?.incidents[0]?.steps.at(-1)?.why).toBe("a person has to look: nothing is known against it");
  keeper.close();
});
