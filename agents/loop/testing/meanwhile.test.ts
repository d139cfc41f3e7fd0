/** What happens while somebody decides, waits or watches: the alarm goes, something else breaks for a moment, the broker is away; over rig.ts. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Decision } from "../../../contracts/decision.ts";
import { attempt, speaksAgainst } from "../../reactive/attempt.ts";
import { Ids } from "../../shared/ids.ts";
import { Incidents } from "../incidents.ts";
import { type OptionSource, playbookSource } from "../options.ts";
import type { LoopPorts } from "../ports.ts";
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
  withdrawn,
  worked,
  world,
} from "./rig.ts";

beforeAll(startRig, 60_000);
afterAll(stopRig);

async function workOn(subject: string, more: Partial<LoopPorts> = {}): Promise<void> {
  const held = await new Incidents(() => peer, "m1").take(await open(subject));
  if (held === null) throw new Error("somebody else holds it");
  await work(held, { ...ports, ...more }).finally(() => held.release());
}

const resultsOf = async (subject: string) => (await decisionsOf(await last(subject))).map(({ outcome: { result } }) => result);

describe("an alarm that is cleared", () => {
  test("while somebody is asked has nothing done about it, and nothing is credited", async () => {
    tell("asked", true);
    await triage();
    const slow: OptionSource = {
      who: "slow",
      async offer(matter) {
        const offer = await playbookSource(() => playbooks).offer(matter);
        tell("asked", false);
        return { ...offer, tokens: 70 };
      },
    };
    await workOn("asked", { sources: [slow] });
    expect(await last("asked")).toMatchObject({
      ...{ state: "solved", reason: "it went away by itself", body: { decisions: [], lesson: null, spent: { tokens: 70 } } },
    });
    expect(made.filter(({ name }) => name === "asked")).toEqual([]);
  });

  test("while a person is asked takes the question back: nobody approves what is not wanted any more", async () => {
    tell("later", true);
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} later`, { status: "waiting" });
    await triage();
    expect((await worked("later")).state).toBe("waiting");
    const [call] = made.filter(({ name }) => name === "later");
    tell("later", false);
    expect(await worked("later")).toMatchObject({ state: "solved", reason: "it went away by itself", body: { lesson: null } });
    expect(withdrawn).toContain(call?.call ?? "");
    expect(await resultsOf("later")).toEqual(["suppressed"]);
  });
});

describe("what became worse", () => {
  test("only for a moment is no harm: what helped stays", async () => {
    tell("blink", true);
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} blink`, { status: "done", clears: true, breaks: true });
    const before = taken_back.length;
    await triage();
    let looks = 0;
    const heal = setInterval(() => {
      if (world.broken_services > 0) looks += 1;
      if (looks > 3) world.broken_services = 0;
    }, 5);
    await workOn("blink").finally(() => clearInterval(heal));
    world.broken_services = 0;
    expect(await resultsOf("blink")).toEqual(["done"]);
    expect(taken_back).toHaveLength(before);
  });

  test("while a person was asked did so without what that person approved", async () => {
    tell("hour", true);
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} hour`, { status: "waiting" });
    await triage();
    const { body } = await worked("hour");
    world.broken_services = 2;
    approvals.set(body.waits_for?.call ?? "", "done");
    const over = workOn("hour");
    while ((await last("hour")).state !== "watching") await Bun.sleep(5);
    tell("hour", false);
    await over;
    world.broken_services = 0;
    expect(await last("hour")).toMatchObject({ state: "solved", body: { health_before: { services_down: 2 } } });
    expect(await resultsOf("hour")).toEqual(["done"]);
  });
});

describe("a call that there is no room for", () => {
  test("says nothing of its playbook, which is tried again in a while; that has an end", async () => {
    tell("full", true);
    for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} full`, { status: "limited" });
    await triage();
    const failed = async (rule: string) =>
      (await peer.call("learning.records", { rules: [rule], limit: 10 })).reduce((sum, one) => sum + one.failed, 0);
    const before = new Map(
      await Promise.all(playbooks.map(async ({ name }) => [`playbook ${name}`, await failed(`playbook ${name}`)] as const)),
    );
    for (let n = 1; n <= 3; n += 1) await expect(workOn("full")).rejects.toThrow("limited: it ended as limited");
    await workOn("full");
    expect(await resultsOf("full")).toEqual(["suppressed", "suppressed", "suppressed"]);
    const rules = new Set((await decisionsOf(await last("full"))).map(({ rule }) => rule));
    expect(rules.size).toBe(1);
    expect((await last("full")).state).toBe("handed-over");
    for (const [rule, times] of before) expect(await failed(rule)).toBe(times);
    tell("full", false);
  });

  test("and a broker that is away are nothing against a rule of the reactive tier", async () => {
    const event = tell("rule", true);
    const [playbook] = playbooks;
    if (playbook === undefined) throw new Error("there is no playbook");
    const decision = { ...reactiveTry("rule", event), outcome: { result: "pending", detail: "", after_ms: null } } as Decision;
    const plan = { decision, event, known: { playbook }, dry: false } as unknown as Parameters<typeof attempt>[0];
    const away = (): never => {
      throw new Error("the broker is away");
    };
    const nobody = await attempt(plan, { ...ports, broker: away, ask: away });
    expect(nobody).toMatchObject({ result: "suppressed", detail: expect.stringContaining("the broker is away") });
    effects.set("fix.gentle rule", { status: "limited" });
    const no_room = await attempt(plan, ports);
    expect([no_room.result, speaksAgainst(plan, no_room), speaksAgainst(plan, { result: "failed" })]).toEqual(["suppressed", false, true]);
    tell("rule", false);
  });
});

const below_ids = new Ids("reactive", "0badcafe-0000-4000-8000-000000000000", boot_ms());

function reactiveTry(subject: string, trigger: Decision["trigger"]): Decision {
  return {
    ...{ id: below_ids.decision(), time_ms: Date.now(), boot_ms: boot_ms(), tier: "reactive", rule: "playbook gentle", trigger },
    ...{ based_on: [], reason: "it may help", took_us: 1, outcome: { result: "done", detail: "the alarm was cleared", after_ms: 1 } },
    action: { do: "call", calls: [{ tool: "fix.gentle", arguments: { name: subject } }], watch_ms: 1000 },
  };
}

async function record(decision: Decision): Promise<void> {
  await (await memory.ask("reactive")).call("decisions.append", { decisions: [decision] });
}

describe("a try of the reactive tier", () => {
  test("against another alarm of the same storm says nothing of this one", async () => {
    const lead = tell("lead", true);
    const other = tell("other", true);
    await new Incidents(() => peer, "m1").report([lead, other]);
    await triage();
    await record(reactiveTry("other", other));
    effects.set("fix.gentle lead", { status: "done", clears: true });
    effects.set("fix.harsh lead", { status: "done", clears: true });
    await workOn("lead");
    expect(made.filter(({ name }) => name === "lead")).toHaveLength(1);
    expect((await decisionsOf(await last("lead"))).map(({ tier }) => tier)).toEqual(["tactical"]);
    tell("other", false);
  });

  test("that helped for a moment leaves the alarm to the tier above", async () => {
    const event = tell("moment", true);
    await triage();
    await record(reactiveTry("moment", event));
    effects.set("fix.gentle moment", { status: "done", clears: true });
    effects.set("fix.harsh moment", { status: "done", clears: true });
    await workOn("moment");
    expect(await last("moment")).toMatchObject({ state: "solved", reason: "playbook harsh helped" });
  });

  test("in an earlier boot is waited for no longer: its clock is not this one's", async () => {
    const event = tell("boot", true);
    await triage();
    const earlier = {
      ...reactiveTry("boot", event),
      id: new Ids("reactive", "0dead000-0000-4000-8000-000000000000", 1).decision(),
      boot_ms: 1e9,
    };
    await record({ ...earlier, outcome: { result: "pending", detail: "", after_ms: null } });
    effects.set("fix.gentle boot", { status: "done", clears: true });
    effects.set("fix.harsh boot", { status: "done", clears: true });
    await workOn("boot");
    expect(await last("boot")).toMatchObject({ state: "solved", reason: "playbook harsh helped" });
  }, 20_000);
});
