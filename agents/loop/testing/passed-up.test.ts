/** What is beyond a tier: passed up, given back, and the safest of what is left where nobody could be asked; over the real memory (rig.ts). */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Ids } from "../../shared/ids.ts";
import { type Incident, Incidents } from "../incidents.ts";
import type { Option, OptionSource } from "../options.ts";
import { orphanRound } from "../orphans.ts";
import { work } from "../work.ts";
import {
  boot_ms,
  decisionsOf,
  effects,
  last,
  made,
  memory,
  open,
  peer,
  ports,
  startRig,
  stopRig,
  taken_back,
  tell,
  triage,
  worked,
  world,
} from "./rig.ts";

const strategic_ids = new Ids("strategic", "0badcafe-0000-4000-8000-000000000000", boot_ms());

beforeAll(startRig, 60_000);
afterAll(stopRig);

test("what is beyond a tier goes to the one above once, and comes back when that has no answer", async () => {
  tell("pop", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} pop`, { status: "refused" });
  await triage();
  world.above = "strategic";
  const passed = await worked("pop");
  world.above = null;
  expect(passed).toMatchObject({ state: "deciding", body: { tier: "strategic", escalations: 1 } });
  expect(passed.reason).toContain("passed to strategic: what is known did not help");
  const strategic = await memory.ask("strategic");
  const held = await new Incidents(() => strategic, "s1").take(passed);
  if (held === null) throw new Error("somebody else holds it");
  await work(held, { ...ports, tier: "strategic", memory: () => strategic, sources: [] }).finally(() => held.release());
  expect(await last("pop")).toMatchObject({ state: "deciding", body: { tier: "tactical", escalations: 1 } });
  world.above = "strategic";
  expect((await worked("pop")).state).toBe("handed-over");
  world.above = null;
});

/** Options that are all unlikely to help, the likeliest first. */
const unlikely = (...names: readonly (readonly [name: string, rank: number, tainted?: readonly string[]])[]): OptionSource => ({
  who: "playbooks",
  async offer({ event }) {
    const options = names.map(([name, rank, tainted = []], at): Option => {
      const call = { tool: `fix.${name}`, arguments: { name: event.facts.subject }, tainted: [...tainted] };
      const rule = `doubtful ${name} ${rank}${tainted.length === 0 ? "" : " tainted"}`;
      return { rule, does: name, rank, calls: [call], watch_ms: 1000, confidence: 0.28 - at / 50 };
    });
    return { options, said: "doubtful", tokens: 0, usd: 0 };
  },
});

/** Passed up, given back by a strategic tier that offers nothing, and worked on by the tactical one until that is at its end. */
async function givenBack(subject: string, unasked: string | null, source: OptionSource): Promise<Incident> {
  const asTactical = async (): Promise<void> => {
    const held = await new Incidents(() => peer, "t1").take(await open(subject));
    if (held === null) throw new Error("somebody else holds it");
    await work(held, { ...ports, sources: [source] }).finally(() => held.release());
  };
  tell(subject, true);
  await triage();
  world.above = "strategic";
  await asTactical();
  const strategic = await memory.ask("strategic");
  const held = await new Incidents(() => strategic, "s1").take(await open(subject));
  if (held === null) throw new Error("somebody else holds it");
  const offer = async () => ({ options: [], said: "none", tokens: 0, usd: 0, ...(unasked === null ? {} : { unasked }) });
  const sources: OptionSource[] = [{ who: "a model", offer }];
  await work(held, { ...ports, tier: "strategic", memory: () => strategic, sources }).finally(() => held.release());
  await asTactical();
  world.above = null;
  return await last(subject);
}

const offline = "offline: no network interface has an address";

test("when nobody above could be asked the safest of what is left is tried: what is final or from outside never", async () => {
  const source = unlikely(
    ...([
      ["final", 0],
      ["exact", 0, ["/name"]],
      ["gentle", 0],
      ["harsh", 2],
      ["exact", 5],
      ["exact", 3],
      ["unknown", 0],
    ] as const),
  );
  for (const tool of ["fix.exact", "fix.gentle"]) effects.set(`${tool} dock`, { status: "failed" });
  const over = await givenBack("dock", offline, source);
  const decisions = await decisionsOf(over);
  expect(decisions.map(({ rule }) => rule)).toEqual(["doubtful exact 3", "doubtful exact 5", "doubtful gentle 0"]);
  expect(decisions[0]?.reason).toContain(`the safest of what is left, since nobody above could be asked (${offline})`);
  expect(decisions[0]?.alternatives?.map(({ what }) => what)).toEqual(["doubtful exact 5", "doubtful gentle 0", "doubtful harsh 2"]);
  expect(made.filter(({ name }) => name === "dock").map(({ tool }) => tool)).toEqual(["fix.exact", "fix.exact", "fix.gentle"]);
  expect(over).toMatchObject({ state: "handed-over", reason: expect.stringContaining(`nobody above could be asked (${offline})`) });
}, 30_000);

test("where nothing safe is left a person has to look, and is told that nobody above could be asked", async () => {
  const over = await givenBack("quay", offline, unlikely(["final", 0], ["gentle", 0, [""]]));
  expect(over).toMatchObject({ state: "handed-over", body: { unasked: offline, decisions: [] } });
  expect(over.reason).toBe(
    `a person has to look: nobody above could be asked (${offline}), and nothing safe is left; not tried: doubtful final 0, doubtful gentle 0 tainted`,
  );
  expect(made.filter(({ name }) => name === "quay")).toEqual([]);
}, 30_000);

test("when somebody above was asked and had no answer the likeliest of what is left is tried", async () => {
  effects.set("fix.final pier", { status: "done", clears: true });
  const solved = await givenBack("pier", null, unlikely(["final", 0], ["exact", 0]));
  expect(solved).toMatchObject({ state: "solved", reason: "doubtful final 0 helped" });
  expect(solved.body.unasked).toBeUndefined();
}, 30_000);

test("what was passed up to a tier that does not run comes back down, not while that still works on it", async () => {
  tell("buoy", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} buoy`, { status: "refused" });
  await triage();
  world.above = "strategic";
  const passed = await worked("buoy");
  world.above = null;
  expect(passed).toMatchObject({ state: "deciding", body: { tier: "strategic" } });
  const said: string[] = [];
  const log = { info: () => {}, error: () => {}, warn: (sentence: string) => void said.push(sentence) };
  const round = orphanRound({ ...ports, incidents: new Incidents(() => peer, "t7"), log }, 50, 0);
  const strategic = await memory.ask("strategic");
  const alive = await new Incidents(() => strategic, "s1").take(passed);
  await round.run();
  await Bun.sleep(60);
  await round.run();
  expect([said, (await last("buoy")).body.tier]).toEqual([[], "strategic"]);
  await alive?.release();
  await round.run();
  expect(said).toEqual([expect.stringContaining("came back down: the strategic tier does not run")]);
  expect(await last("buoy")).toMatchObject({ state: "deciding", body: { tier: "tactical", unasked: "the strategic tier does not run" } });
  expect((await worked("buoy")).state).toBe("handed-over");
});

test("what a tier that died had begun is taken back, what it only watched is watched on, and both end", async () => {
  const strategic = await memory.ask("strategic");
  const dead: string[] = [];
  for (const [subject, to] of [
    ["half", "acting"],
    ["seen", "watching"],
  ] as const) {
    tell(subject, true);
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} ${subject}`, { status: "refused" });
    await triage();
    world.above = "strategic";
    const held = await new Incidents(() => strategic, "s9").take(await worked(subject));
    world.above = null;
    if (held === null) throw new Error("somebody else holds it");
    const id = strategic_ids.decision();
    await held.move("acting", "it acts", { decisions: [...held.item.body.decisions, id] });
    const [first] = await decisionsOf(held.item);
    if (first === undefined) throw new Error("nothing was tried before");
    const pending = { result: "pending", detail: "", after_ms: null } as const;
    await strategic.call("decisions.append", {
      decisions: [{ ...first, id, tier: "strategic", rule: `cause ${subject}`, outcome: pending }],
    });
    if (to === "watching") await held.move("watching", "all calls are made");
    await held.release();
    dead.push(id);
  }
  const log = { info: () => {}, error: () => {}, warn: () => {} };
  const round = orphanRound({ ...ports, incidents: new Incidents(() => peer, "t8"), log }, 0, 0);
  await round.run();
  expect(await last("half")).toMatchObject({ state: "deciding", body: { tier: "tactical" } });
  expect(await last("seen")).toMatchObject({ state: "watching", body: { tier: "tactical" } });
  expect(taken_back).toContain(dead[0] ?? "");
  expect(taken_back).not.toContain(dead[1] ?? "");
  tell("seen", false);
  expect((await worked("seen")).state).toBe("solved");
  expect((await worked("half")).state).toBe("handed-over");
}, 30_000);
