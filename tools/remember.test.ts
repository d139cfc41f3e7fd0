import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { Decision } from "../contracts/decision.ts";
import type { Recalled } from "../contracts/memory/record.ts";
import { CallMeta } from "../contracts/tool.ts";
import type { OpenBroker } from "./broker.ts";
import type { Context } from "./context.ts";
import { worldMemory } from "./testing/memory.ts";
import { neighboursOf } from "./testing/neighbours.ts";
import { authorityFor, openTestBroker } from "./testing/open.ts";

const folders: string[] = [];
const brokers: OpenBroker[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "remember-"));
  folders.push(folder);
  mkdirSync(join(folder, "data", "work"), { recursive: true });
  return folder;
}

async function open(folder: string, memory: Context["memory"], authority = () => "allow"): Promise<OpenBroker> {
  const broker = await openTestBroker(folder, {
    authority: authorityFor("allow", undefined, authority),
    remembers: true,
    neighbours: () => ({ ...neighboursOf(join(folder, "pid1.json")), memory }),
  });
  brokers.push(broker);
  return broker;
}

const meta = (text: string, more: Record<string, unknown> = {}) => CallMeta.parse({ reason: { text, ...more } });

async function make(broker: OpenBroker, tool: string, args: Record<string, unknown>, why = meta("to test it")) {
  const who = { principal: "tier:tactical", role: null, owner: null, undoes: null, redoes: null } as const;
  const { _meta } = await broker.calls.make({ ...who, tool, arguments: args, meta: why });
  return _meta;
}

async function recalled(
  memory: NonNullable<Context["memory"]>,
  id: string,
  ready: (one: Recalled) => boolean = () => true,
): Promise<Recalled> {
  for (;;) {
    const [found] = await memory.call("recall", { ids: [id] });
    if (found !== undefined && ready(found)) return found;
    await Bun.sleep(20);
  }
}

test("a call is remembered with who, what, why and what came of it; taken back, both say so", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  const broker = await open(folder, memory);
  const path = join(folder, "data/work/nginx.conf");
  const why = meta("nginx does not answer since the update", { event: "0badcafe-init-7", confidence: 0.9, alternatives: ["wait"] });
  const written = await make(broker, "fs.write", { path, content: "listen 80;", how: "write" }, why);
  expect(written.status).toBe("done");
  const action = await recalled(memory, written.call);
  expect(action).toMatchObject({ kind: "action", tier: "tactical", tool: "fs.write", outcome: "worked", severity: "info", taint: [] });
  expect(action.text).toContain(`fs.write on path ${path} by tier:tactical: done, because: nginx does not answer since the update`);
  expect(action.links).toEqual([{ relation: "caused-by", to: "0badcafe-init-7" }]);
  expect(action.body["why"]).toMatchObject({ confidence: 0.9, alternatives: ["wait"] });
  expect(action.body["arguments"]).toMatchObject({ path, content: "listen 80;" });

  const person = { principal: "person:operator", role: "admin", owner: null } as const;
  const { outcomes } = await broker.undo.run({ call: written.call }, person, meta("it did not help").reason, broker.calls);
  expect((await recalled(memory, written.call, ({ outcome }) => outcome === "undone")).kind).toBe("action");
  const back = await recalled(memory, outcomes[0]?.call ?? "");
  expect(back).toMatchObject({ outcome: "worked", tier: null, links: [{ relation: "undoes", to: written.call }] });
  const { found } = await memory.call("search", { query: "what was done when nginx did not answer", mode: "words", filter: {}, limit: 5 });
  expect(found.map(({ memory: { id } }) => id)).toContain(written.call);
});

test("what was refused or failed is remembered, what only looked is not, secrets are not, and what is tainted is marked", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  let authority = "deny";
  const broker = await open(folder, memory, () => authority);
  const refused = await make(broker, "fs.mkdir", { path: join(folder, "data/work/a") });
  expect(await recalled(memory, refused.call)).toMatchObject({ outcome: "refused", severity: "notice" });
  authority = "allow";
  const failed = await make(broker, "fs.mkdir", { path: "/proc/none" }, CallMeta.parse({ reason: { text: "try" }, tainted: ["/path"] }));
  expect(failed.status).not.toBe("done");
  const looked = await make(broker, "fs.list", { path: join(folder, "data/work") });
  const secret = await make(broker, "sec.secret_put", { name: "token", value: "hush-hush-hush", uses: [] });
  expect(secret).toMatchObject({ status: "done" });
  const put = await recalled(memory, secret.call);
  expect(JSON.stringify(put)).not.toContain("hush-hush-hush");
  expect(await memory.call("recall", { ids: [looked.call] })).toEqual([]);
});

test("what was done while memory was away, or before the broker was started again, is told later, once", async () => {
  const folder = newFolder();
  const away = await open(folder, null);
  const calls: string[] = [];
  for (const name of ["a", "b", "c"]) calls.push((await make(away, "fs.mkdir", { path: join(folder, "data/work", name) })).call);
  await away.close();
  brokers.length = 0;
  const memory = worldMemory(folder);
  const told: string[][] = [];
  const listening: NonNullable<Context["memory"]> = {
    call: ((method: string, params: { memories?: { id: string }[] }) => {
      if (method === "append") told.push((params.memories ?? []).map(({ id }) => id));
      return (memory.call as (method: string, params: unknown) => unknown)(method, params);
    }) as typeof memory.call,
  };
  const broker = await open(folder, listening);
  for (const call of calls) await recalled(memory, call);
  await broker.close();
  brokers.length = 0;
  const again = await open(folder, listening);
  const later = await make(again, "fs.mkdir", { path: join(folder, "data/work/d") });
  await recalled(memory, later.call);
  expect(told.flat().toSorted()).toEqual([...calls, later.call].toSorted());
});

/** A decision of the tactical tier that its calls of fs.write solved. */
const decisionOf = (n: number) =>
  Decision.parse({
    ...{ id: `0badcafe-d-tactical-${n}`, time_ms: 1, boot_ms: 1, tier: "tactical", rule: "playbook disk-full", reason: "so", took_us: 5 },
    trigger: {
      ...{ id: `0badcafe-reactive-${n}`, time_ms: 1, boot_ms: 1, source: "reactive", severity: "error", kind: "alarm.changed" },
      facts: { alarm: "disk-full", subject: "data", raised: true, value: 1, limit: 1, stood_ms: 0, detail: "" },
    },
    action: { do: "call", calls: [{ tool: "fs.write", arguments: {} }] },
    outcome: { result: "done", detail: "", after_ms: 5 },
  });
const anna = { principal: "person:anna", role: "admin", owner: null } as const;
const tactical = { principal: "tier:tactical", role: null, owner: null } as const;

async function outcomeOf(memory: NonNullable<Context["memory"]>, n: number, ready: (one: Decision["outcome"]) => boolean) {
  for (;;) {
    const [decision] = await memory.call("decisions.get", { ids: [decisionOf(n).id] });
    if (decision !== undefined && ready(decision.outcome)) return decision.outcome;
    await Bun.sleep(20);
  }
}

test("what a person takes back of a decision is told to memory as his word against it, until it is made anew", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  await memory.call("decisions.append", { decisions: [decisionOf(1), decisionOf(2), decisionOf(3)] });
  const broker = await open(folder, memory);
  const write = (n: number) =>
    make(
      broker,
      "fs.write",
      { path: join(folder, `data/work/${n}`), content: "x", how: "write" },
      meta("it is full", { decision: decisionOf(n).id }),
    );
  const [one, two, three] = [await write(1), await write(2), await write(3)];
  const undo = async (call: string, who: typeof anna | typeof tactical, why = "I need it") =>
    (await broker.undo.run({ call }, who, meta(why).reason, broker.calls)).outcomes[0]?.call ?? "";
  await undo(two.call, tactical);
  let last = await undo(one.call, anna);
  const overridden = ({ result }: Decision["outcome"]) => result === "overridden";
  expect(await outcomeOf(memory, 1, overridden)).toMatchObject({
    overridden: { how: "undone", by: "person:anna", why: "I need it", call: one.call, tool: "fs.write", was: "done" },
  });
  for (const _ of [1, 2]) {
    const anew = await undo(last, anna);
    expect(await outcomeOf(memory, 1, (outcome) => !overridden(outcome))).toEqual(decisionOf(1).outcome);
    last = await undo(anew, anna, "after all not");
    expect(await outcomeOf(memory, 1, overridden)).toMatchObject({ overridden: { call: one.call, why: "after all not" } });
  }
  // what a tier does upon it changes nothing of what the person said; what a tier takes back is no word of a person
  await recalled(memory, await undo(last, tactical));
  expect((await outcomeOf(memory, 1, () => true)).result).toBe("overridden");
  await recalled(memory, await undo(three.call, anna));
  expect((await outcomeOf(memory, 3, overridden)).overridden?.call).toBe(three.call);
  expect((await outcomeOf(memory, 2, () => true)).result).toBe("done");
}, 60_000);

test("what a tier takes down because of a decision, or names one of another tier, is none of its calls; a person's no is told", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  await memory.call("decisions.append", {
    decisions: [decisionOf(1), { ...decisionOf(2), outcome: { ...decisionOf(2).outcome, result: "refused" } }],
  });
  let authority = "allow";
  const broker = await open(folder, memory, () => authority);
  const of_first = meta("so", { decision: decisionOf(1).id });
  const made = await make(broker, "fs.mkdir", { path: join(folder, "data/work/a") }, of_first);
  const strategic = { principal: "tier:strategic", role: null, owner: null, undoes: null, redoes: null } as const;
  const args = { path: join(folder, "data/work/b"), content: "x", how: "write" };
  const other = (await broker.calls.make({ ...strategic, tool: "fs.write", arguments: args, meta: of_first }))._meta;
  for (const { call } of [made, other]) await broker.undo.run({ call }, anna, meta("no").reason, broker.calls);
  authority = "approval";
  const path = join(folder, "data/work/c");
  const asked = await make(broker, "fs.write", { path, content: "x", how: "write" }, meta("so", { decision: decisionOf(2).id }));
  expect(asked.status).toBe("waiting");
  await broker.calls.decide(asked.call, false, "person:anna", "not on my disk");
  expect(await outcomeOf(memory, 2, ({ overridden }) => overridden !== undefined)).toMatchObject({
    result: "refused",
    overridden: { how: "declined", by: "person:anna", why: "not on my disk", call: asked.call },
  });
  expect(await outcomeOf(memory, 1, () => true)).toEqual(decisionOf(1).outcome);
}, 60_000);

test("what people took back before this was told is told once, and what was taken back while memory was away", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  await memory.call("decisions.append", { decisions: [decisionOf(1), decisionOf(2)] });
  // as a broker without it leaves an audit: all of the calls are remembered, no word of people is
  const deaf: NonNullable<Context["memory"]> = {
    call: ((method: string, params: unknown) =>
      method === "learning.override"
        ? Promise.resolve({ decisions: 0 })
        : (memory.call as (m: string, p: unknown) => unknown)(method, params)) as typeof memory.call,
  };
  const takenBack = async (broker: OpenBroker, n: number): Promise<string> => {
    const args = { path: join(folder, `data/work/${n}`), content: "x", how: "write" };
    const { call } = await make(broker, "fs.write", args, meta("so", { decision: decisionOf(n).id }));
    const { outcomes } = await broker.undo.run({ call }, anna, meta("no").reason, broker.calls);
    return outcomes[0]?.call ?? "";
  };
  const before = await open(folder, deaf);
  await recalled(memory, await takenBack(before, 1));
  await before.close();
  const state = new Sqlite(join(folder, "data/broker/broker.db"));
  state.prepare("DELETE FROM tool_values WHERE key = 'overrides-told'").run();
  state.close();
  const away = await open(folder, null);
  await takenBack(away, 2);
  await away.close();
  brokers.length = 0;
  const told: unknown[] = [];
  const listening: NonNullable<Context["memory"]> = {
    call: ((method: string, params: { said?: unknown[] }) => {
      if (method === "learning.override") told.push(...(params.said ?? []));
      return (memory.call as (m: string, p: unknown) => unknown)(method, params);
    }) as typeof memory.call,
  };
  await open(folder, listening);
  for (const n of [1, 2])
    expect(await outcomeOf(memory, n, ({ result }) => result === "overridden")).toMatchObject({ overridden: { why: "no" } });
  await Bun.sleep(300);
  expect(told).toHaveLength(2);
}, 60_000);
