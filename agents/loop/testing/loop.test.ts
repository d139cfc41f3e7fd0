/** The loop over the real memory, with a broker that answers as each case says and keeps account of what it was asked. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shortBootId } from "../../../contracts/boot-id.ts";
import { broker_methods } from "../../../contracts/broker.ts";
import type { Decision } from "../../../contracts/decision.ts";
import { callerSocket, callerSocketFolder } from "../../../contracts/paths.ts";
import { Playbook } from "../../../contracts/playbook.ts";
import { rpc_error } from "../../../contracts/rpc.ts";
import type { CallOutcome, CallResult, CallStatus, Risk, ToolDescription } from "../../../contracts/tool.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import { openBootClock } from "../../../wire/boot-clock.ts";
import { RpcError } from "../../../wire/peer.ts";
import { connectUnix, listenUnix, silent } from "../../../wire/unix.ts";
import { operationalJudge } from "../../operational/judge.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import { type BrokerPeer, toolAsker } from "../../shared/ask-tool.ts";
import { Ids } from "../../shared/ids.ts";
import { type AlarmEvent, Standing } from "../../shared/standing.ts";
import { type Incident, Incidents } from "../incidents.ts";
import { type Option, type OptionSource, playbookSource } from "../options.ts";
import type { LoopPorts } from "../ports.ts";
import { triageAll } from "../triage.ts";
import { work } from "../work.ts";

const boot_id = "0badcafe-0000-4000-8000-000000000000";
const boot_ms = openBootClock();
const thresholds = loadThresholds();
const playbooks = ["gentle", "harsh"].map((name, rank) =>
  Playbook.parse({
    ...{ name, rank, alarms: ["service-down"], does: `the ${name} thing`, watch_ms: 1000 },
    steps: [{ tool: `fix.${name}`, arguments: { name: "{subject}" }, why: "it may help" }],
  }),
);

/** What comes of a call, by tool and subject: its status, and whether it clears the alarm or makes something else worse. */
interface Effect {
  readonly status: CallStatus;
  readonly clears?: boolean;
  readonly breaks?: boolean;
  readonly unchanged?: true;
}
const effects = new Map<string, Effect>();
const made: { readonly tool: string; readonly name: string; readonly key: string | null; readonly call: string }[] = [];
const taken_back: string[] = [];
const approvals = new Map<string, CallStatus>();
let broken_services = 0;
/** Whether a tier above runs. */
let above: "strategic" | null = null;

let memory: MemoryService;
let peer: MemoryPeer;
let operational: MemoryPeer;
let broker: BrokerPeer;
let standing: Standing;
let ports: LoopPorts;
const ids = new Ids("tactical", boot_id, boot_ms());
const alarm_ids = new Ids("reactive", boot_id, boot_ms());

function outcome(tool: string, call: string, status: CallStatus): CallOutcome {
  const fixed = { tainted: false, undo: "possible", confirm_by_ms: null, took_ms: 1 } as const;
  return { call, tool, principal: "tier:tactical", status, text: `it ended as ${status}`, policies: [], ...fixed };
}

function answered(tool: string, args: Readonly<Record<string, unknown>>, key: string | null): CallResult {
  if (tool === "service.list") {
    const services = Array.from({ length: broken_services }, (_, at) => ({ name: `s${at}`, state: "backoff" }));
    return { structuredContent: { services }, isError: false, _meta: outcome(tool, "0badcafe-call-1", "done") };
  }
  if (tool === "memory.search")
    return { structuredContent: { found: [] }, isError: false, _meta: outcome(tool, "0badcafe-call-1", "done") };
  const known = made.find((one) => key !== null && one.key === key);
  const call = known?.call ?? `0badcafe-call-${made.length + 2}`;
  const name = String(args["name"]);
  const effect = effects.get(`${tool} ${name}`) ?? { status: "done" };
  if (known === undefined) {
    made.push({ tool, name, key, call });
    if (effect.clears === true) tell(name, false);
    if (effect.breaks === true) broken_services += 1;
  }
  return {
    structuredContent: null,
    isError: effect.status !== "done",
    _meta: { ...outcome(tool, call, effect.status), ...(effect.unchanged === undefined ? {} : { unchanged: true }) },
  };
}

const risks: Readonly<Record<string, Risk>> = {
  ...{ "fix.exact": "reversible", "fix.gentle": "compensable", "fix.harsh": "compensable", "fix.final": "irreversible" },
};

function described(name: string): ToolDescription {
  const risk = risks[name];
  if (risk === undefined) throw new RpcError(rpc_error.not_found, `there is no tool "${name}"`);
  return {
    ...{ name, title: name, description: name, inputSchema: {}, outputSchema: {} },
    annotations: { readOnlyHint: false, destructiveHint: risk === "irreversible", idempotentHint: false, openWorldHint: false },
    _meta: { risk, family: "fix", timeout_ms: 1000, undoable: risk !== "irreversible" },
  };
}

function tell(subject: string, raised: boolean, alarm = "service-down", severity: AlarmEvent["severity"] = "error"): AlarmEvent {
  const facts = { alarm, subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "it does not run" };
  const event: AlarmEvent = {
    ...{ id: alarm_ids.memory(), time_ms: Date.now(), boot_ms: boot_ms() + made.length + 1, source: "reactive", severity },
    ...{ kind: "alarm.changed", facts },
  };
  standing.take(event);
  return event;
}

beforeAll(async () => {
  memory = await startMemory(diskFolder("loop"));
  [peer, operational] = await Promise.all([memory.ask("tactical"), memory.ask("operational")]);
  const run = mkdtempSync(join(tmpdir(), "loop-"));
  mkdirSync(callerSocketFolder("broker", "tactical", run), { recursive: true });
  const methods = {
    "tools/get": broker_methods["tools/get"],
    "tools/call": broker_methods["tools/call"],
    "calls/get": broker_methods["calls/get"],
    "undo/run": broker_methods["undo/run"],
  };
  listenUnix(callerSocket("broker", "tactical", run), 0o660, () => ({
    ...silent,
    serves: {
      methods,
      handlers: {
        "tools/get": ({ name }) => described(name),
        "tools/call": ({ name, arguments: args, _meta }) => answered(name, args, _meta.key),
        "calls/get": ({ call }) => {
          const status = approvals.get(call);
          return { outcome: status === undefined ? null : outcome("fix.gentle", call, status), entries: [], approval: null };
        },
        "undo/run": ({ target }) => {
          if ("group" in target) taken_back.push(target.group);
          return { outcomes: [], plan: { calls: [], obstacles: [] } };
        },
      },
    },
    calls: {},
    tells: {},
  }));
  broker = await connectUnix(callerSocket("broker", "tactical", run), { ...silent, calls: broker_methods, tells: {} });
  standing = new Standing(shortBootId(boot_id));
  const ask = toolAsker(() => broker);
  ports = {
    ...{ tier: "tactical", broker: () => broker, memory: () => peer, ask, standing, ids, boot_ms },
    thresholds,
    sources: [playbookSource(() => playbooks)],
    above: async () => above,
    wait: () => Bun.sleep(5),
  };
}, 60_000);
afterAll(() => memory?.kill());

const triage = (now_ms = Date.now) => {
  const decisions = (): Promise<Decision[]> => operational.call("decisions.list", { limit: 1000 });
  const judge = operationalJudge({ ask: ports.ask, thresholds, playbooks: () => playbooks, decisions, model: null });
  return triageAll({ incidents: new Incidents(() => operational, "o1"), judge, standing, thresholds, boot_ms, over, now_ms });
};
const over = new Map<string, number>();
const open = async (subject: string): Promise<Incident> => {
  const found = (await new Incidents(() => peer, "t").open()).find(({ body }) => body.key === `service-down ${subject}`);
  if (found === undefined) throw new Error(`there is no open incident about "${subject}"`);
  return found;
};
const last = async (subject: string): Promise<Incident> => {
  const { items } = await peer.call("work.list", { kinds: ["incident"], key: `service-down ${subject}`, limit: 1 });
  const [item] = items;
  if (item?.kind !== "incident") throw new Error(`there is no incident about "${subject}"`);
  return item;
};
/** Works on it until it ends or waits, as one process of the tier. */
async function worked(subject: string, holder = "t1"): Promise<Incident> {
  const held = await new Incidents(() => peer, holder).take(await open(subject));
  if (held === null) throw new Error("somebody else holds it");
  await work(held, ports).finally(() => held.release());
  return await last(subject);
}
const decisionsOf = async ({ body }: Incident) =>
  (await peer.call("decisions.list", { limit: 100 })).filter(({ id }) => body.decisions.includes(id));

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
  const at = (hours: number) => triage(() => Date.now() + hours * hour_ms);
  await triage();
  const first = await worked("feed");
  expect(first.state).toBe("handed-over");
  await at(5);
  expect((await last("feed")).id).toBe(first.id);
  await at(7);
  const second = await worked("feed");
  expect(second).toMatchObject({ state: "handed-over" });
  expect(second.id).not.toBe(first.id);
  // twice as long the next time; then what was away is back
  await at(7);
  expect((await last("feed")).id).toBe(second.id);
  effects.set("fix.gentle feed", { status: "done", clears: true });
  effects.set("fix.harsh feed", { status: "done", clears: true });
  await at(13);
  expect((await worked("feed")).state).toBe("solved");
  // somebody or a policy said no
  await at(100);
  expect((await open("mail").catch(() => null))?.id).toBeUndefined();
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
  broken_services = 0;
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

test("what is beyond a tier goes to the one above once, and comes back when that has no answer", async () => {
  tell("pop", true);
  for (const tool of ["fix.gentle", "fix.harsh"]) effects.set(`${tool} pop`, { status: "refused" });
  await triage();
  above = "strategic";
  const passed = await worked("pop");
  above = null;
  expect(passed).toMatchObject({ state: "deciding", body: { tier: "strategic", escalations: 1 } });
  expect(passed.reason).toContain("passed to strategic: what is known did not help");
  const strategic = await memory.ask("strategic");
  const held = await new Incidents(() => strategic, "s1").take(passed);
  if (held === null) throw new Error("somebody else holds it");
  await work(held, { ...ports, tier: "strategic", memory: () => strategic, sources: [] }).finally(() => held.release());
  expect(await last("pop")).toMatchObject({ state: "deciding", body: { tier: "tactical", escalations: 1 } });
  above = "strategic";
  expect((await worked("pop")).state).toBe("handed-over");
  above = null;
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
  above = "strategic";
  await asTactical();
  const strategic = await memory.ask("strategic");
  const held = await new Incidents(() => strategic, "s1").take(await open(subject));
  if (held === null) throw new Error("somebody else holds it");
  const offer = async () => ({ options: [], said: "none", tokens: 0, usd: 0, ...(unasked === null ? {} : { unasked }) });
  const sources: OptionSource[] = [{ who: "a model", offer }];
  await work(held, { ...ports, tier: "strategic", memory: () => strategic, sources }).finally(() => held.release());
  await asTactical();
  above = null;
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
