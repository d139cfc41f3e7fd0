/**
 * Proves the properties of one case (`case.ts`), in the namespaces in which it is started:
 *
 *   bun tools/testing/prove.ts TOOL NAME [--all]
 *
 *   refused   bad arguments, and no permission: an error that says so, and nothing is different
 *   undone    done; undone: everything is as it was; redone: everything is as it was after the first time
 *   killed    the broker is killed at steps of the call and before system calls of the tool: afterwards the record says
 *             what is true, and it is all or nothing. `--all`: at every step and before every system call; else at a third
 *             of the steps and before one, which are others for the next case
 *   unchanged a tool that can tell says so of the same call a second time, and not of the first
 *
 * One after the other in one world, as each leaves it as it was. Ends with status 0, or with what is not so.
 */

import { deepStrictEqual } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditEntry } from "../../contracts/audit.ts";
import { broker_methods } from "../../contracts/broker.ts";
import { callerSocket } from "../../contracts/paths.ts";
import { CallMeta, type CallResult, CallResult as CallResultSchema } from "../../contracts/tool.ts";
import type { Peer } from "../../wire/peer.ts";
import { connectUnix, silent } from "../../wire/unix.ts";
import type { Step } from "../call/steps.ts";
import { cases } from "../catalog/cases.ts";
import type { AnyTool } from "../tool.ts";
import type { ToolCase, World } from "./case.ts";
import { testCatalog } from "./catalog.ts";
import { placesIn } from "./open.ts";

type BrokerPeer = Peer<Record<never, never>, Record<never, never>, typeof broker_methods, Record<never, never>>;

interface Running {
  call(tool: string, args: Record<string, unknown>): Promise<CallResult>;
  readonly peer: BrokerPeer;
  /** Gives it an order (serve.ts). */
  order(line: string): Promise<void>;
  /** Waits for a line of this form. @returns its match */
  heard(form: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has ended, by itself or killed. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const person = { name: "tester", role: "admin" } as const;
const meta = CallMeta.parse({ reason: { text: "to prove it" } });
const call_limit_ms = 120_000;

class Unproven extends Error {}

function demand(what: string, right: boolean): void {
  if (!right) throw new Unproven(what);
}

/** Compares deeply, bigints and buffers included. */
function same(what: string, found: unknown, wanted: unknown): void {
  try {
    deepStrictEqual(found, wanted);
  } catch (error) {
    throw new Unproven(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** This program is proof.ts as an executable (compile.ts). */
const compiled = Bun.main.startsWith("/$bunfs/");

/** Brokers that run; none outlives its world. */
const running = new Set<Bun.Subprocess>();

async function startBroker(folder: string): Promise<Running> {
  const argv = compiled ? ["/proc/self/exe", "serve", folder] : [process.execPath, join(import.meta.dir, "serve.ts"), folder];
  const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let written = "";
  const more = async (): Promise<boolean> => {
    const { value, done } = await reader.read();
    if (!done) written += decoder.decode(value, { stream: true });
    return !done;
  };
  const heard = async (form: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = form.exec(written);
      if (match !== null) {
        written = written.slice(match.index + match[0].length);
        return match;
      }
      if (!(await more())) throw new Error(`the broker ended before it wrote ${form}, with status ${await child.exited}`);
    }
  };
  await heard(/ready\n/);
  const peer: BrokerPeer = await connectUnix(callerSocket("broker", "console", join(folder, "run")), {
    ...silent,
    calls: broker_methods,
    tells: {},
  });
  return {
    peer,
    heard,
    async order(line) {
      child.stdin.write(`${line}\n`);
      await child.stdin.flush();
      await heard(/ok\n/);
    },
    call: async (name, args) =>
      CallResultSchema.parse(await peer.call("tools/call", { name, arguments: args, _meta: meta, person }, call_limit_ms)),
    ended: child.exited.then(() => {}),
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** A case's world, made ready, with a broker in it. */
interface Ready {
  readonly world: World;
  readonly args: Record<string, unknown>;
  readonly broker: Running;
  /** Another in the place of the one that was killed. */
  again(): Promise<Running>;
}

/** One world after another, each thrown away. */
async function inWorld<T>(one: ToolCase, work: (ready: Ready) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "prove-"));
  const places = placesIn(folder);
  const work_folder = join(places.data, "work");
  mkdirSync(work_folder, { recursive: true });
  let broker: Running | null = null;
  const start = async (): Promise<Running> => {
    broker = await startBroker(folder);
    return broker;
  };
  const world: World = {
    folder: work_folder,
    places,
    async call(tool, args) {
      const result = await (broker ?? (await start())).call(tool, args);
      if (result._meta.status !== "done" || result.structuredContent === null)
        throw new Error(`preparing with ${tool} failed: ${result._meta.text}`);
      return result.structuredContent;
    },
  };
  try {
    const args = await one.prepare(world);
    const result = await work({ world, args, broker: broker ?? (await start()), again: start });
    for (const child of running) {
      child.kill("SIGTERM");
      await child.exited;
    }
    return result;
  } finally {
    for (const child of running) child.kill("SIGKILL");
    await one.clean?.(world);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was written to the audit after entry `since`. */
async function entriesSince(broker: Running, since: number): Promise<AuditEntry[]> {
  const { entries } = await broker.peer.call("audit/query", { query: { limit: 500 }, person }, call_limit_ms);
  return entries.filter(({ seq }) => seq > since);
}

async function newestEntry(broker: Running): Promise<number> {
  const { entries } = await broker.peer.call("audit/query", { query: { limit: 1 }, person }, call_limit_ms);
  return entries[0]?.seq ?? 0;
}

/** @returns the call that took it back */
async function undo(broker: Running, call: string): Promise<string> {
  const { outcomes } = await broker.peer.call("undo/run", { target: { call }, reason: meta.reason, person }, call_limit_ms);
  const outcome = outcomes[0];
  if (outcome?.status !== "done") throw new Unproven(`taking back ${call} ended as ${outcome?.status}: ${outcome?.text}`);
  return outcome.call;
}

async function demandWhole(broker: Running, at: string): Promise<void> {
  const verdict = await broker.peer.call("audit/verify", { person }, call_limit_ms);
  demand(`${at}: the audit is not whole: ${JSON.stringify(verdict.faults)}`, verdict.whole);
}

async function proveRefused(one: ToolCase, { world, args, broker }: Ready): Promise<void> {
  const before = await one.observe(world);
  await broker.order("authority deny");
  const refused = await broker.call(one.tool, args);
  same("without permission it says", refused._meta.status, "refused");
  demand("a refusal has an answer", refused.structuredContent === null);
  same("without permission it changed something", await one.observe(world), before);
  await broker.order("authority allow");
  for (const bad of [{ ...args, no_such_member: 1 }, ...(one.bad?.(world) ?? [])]) {
    const result = await broker.call(one.tool, bad);
    demand(
      `bad arguments ${JSON.stringify(bad)} end as ${result._meta.status}: ${result._meta.text}`,
      ["invalid", "failed", "undone"].includes(result._meta.status),
    );
    demand(`the error for ${JSON.stringify(bad)} says too little: "${result._meta.text}"`, result._meta.text.length > 20);
    same(`bad arguments ${JSON.stringify(bad)} changed something`, await one.observe(world), before);
  }
}

async function proveUndone(one: ToolCase, tool: AnyTool, { world, args, broker }: Ready): Promise<void> {
  const before = await one.observe(world);
  const result = await broker.call(one.tool, args);
  demand(`it ended as ${result._meta.status}: ${result._meta.text}`, result._meta.status === (one.fails ?? "done"));
  if (one.fails !== undefined) return same("failing changed something", await one.observe(world), before);
  if (one.looks !== true) same("whether it has changed nothing, by its own word", result._meta.unchanged, undefined);
  await one.settle?.(world);
  await one.check?.(result.structuredContent ?? {}, world);
  const after = await one.observe(world);
  if (tool.risk === "observe" || one.looks === true) return same("looking changed something", after, before);
  if (!canBeUndone(one, tool)) return;
  same("it can be undone, by its own word", result._meta.undo, "possible");
  const settled = async (call: string): Promise<string> => {
    const by = await undo(broker, call);
    await one.settle?.(world);
    return by;
  };
  const undo_call = await settled(result._meta.call);
  same("undo did not restore", await one.observe(world), before);
  if (one.secret === true) {
    const refused = await settled(undo_call).then(
      () => "",
      (error: unknown) => String(error),
    );
    return demand(`making it anew without its secret is refused by "${refused}"`, refused.includes("held secrets, which are not kept"));
  }
  const redo_call = await settled(undo_call);
  const effect = one.effect ?? one.observe;
  if (one.effect === undefined) same("redo is not what the first call was", await effect.call(one, world), after);
  await settled(redo_call);
  same("undo of the redo did not restore", await one.observe(world), before);
  await demandWhole(broker, "after all");
}

function canBeUndone(one: ToolCase, tool: AnyTool): boolean {
  return one.final !== true && tool.undo !== undefined;
}

async function proveUnchanged(one: ToolCase, { world, args, broker }: Ready): Promise<void> {
  await broker.call(one.tool, args);
  await one.settle?.(world);
  const before = await one.observe(world);
  const { _meta } = await broker.call(one.tool, args);
  same(`the same again ended as ${_meta.status}: ${_meta.text}; that it has changed nothing`, _meta.unchanged, true);
  same("the same again changed something", await one.observe(world), before);
}

/** What is known of a call that nothing disturbed. */
interface Undisturbed {
  readonly effect: unknown;
  /** How often the tool asked the system for something. */
  readonly asked: number;
}

async function undisturbed(one: ToolCase, tool: AnyTool, { world, args, broker }: Ready): Promise<Undisturbed> {
  await broker.order(`count ${one.tool}`);
  const result = await broker.call(one.tool, args);
  demand(`it ended as ${result._meta.status}: ${result._meta.text}`, result._meta.status === "done");
  const asked = Number((await broker.heard(/asked (\d+)\n/))[1]);
  await one.settle?.(world);
  const effect = await (one.effect ?? one.observe).call(one, world);
  if (canBeUndone(one, tool)) {
    await undo(broker, result._meta.call);
    await one.settle?.(world);
  }
  return { effect, asked };
}

/**
 * Killed at one point after another. Where an undo brings the world back to what it was, all of them are in the world of the
 * other proofs, each with the broker that recovered from the one before; else each has a world of its own.
 */
async function proveKilled(one: ToolCase, tool: AnyTool, points: (asked: number) => string[], ready: Ready): Promise<void> {
  const usual = await undisturbed(one, tool, ready);
  let { broker } = ready;
  for (const order of points(usual.asked)) broker = await proveKilledAt(one, tool, order, usual, { ...ready, broker });
}

async function proveKilledInWorlds(one: ToolCase, tool: AnyTool, points: (asked: number) => string[]): Promise<void> {
  const usual = await inWorld(one, (ready) => undisturbed(one, tool, ready));
  for (const order of points(usual.asked)) await inWorld(one, (ready) => proveKilledAt(one, tool, order, usual, ready));
}

const stepsOf = (tool: AnyTool): Step[] => [
  "authorise",
  "intent",
  ...(tool.image === null ? [] : ["image" as const]),
  "run",
  "verify",
  "outcome",
];

/** Each step, and before each thing that the tool asks of the system. */
function allPoints(tool: AnyTool, asked: number): string[] {
  const system = Array.from({ length: asked }, (_, index) => index + 1);
  return [...stepsOf(tool).map((step) => `kill-step ${tool.name} ${step}`), ...system.map((point) => `kill-sys ${tool.name} ${point}`)];
}

/** Every third step, and one thing; cases beside each other share them out. */
function somePoints(tool: AnyTool, asked: number, number: number): string[] {
  const some = stepsOf(tool).filter((_, index) => index % 3 === number % 3);
  const system = [1, Math.ceil(asked / 3), Math.ceil((2 * asked) / 3), asked].filter((_, index) => index === number % 4);
  return [
    ...some.map((step) => `kill-step ${tool.name} ${step}`),
    ...[...new Set(system)].filter((point) => point >= 1).map((point) => `kill-sys ${tool.name} ${point}`),
  ];
}

/** @returns the broker that runs afterwards, in a world that is as it was, where that can be */
async function proveKilledAt(one: ToolCase, tool: AnyTool, order: string, { effect }: Undisturbed, ready: Ready): Promise<Running> {
  const { world, args } = ready;
  const at = `killed with ${order}`;
  const since = await newestEntry(ready.broker);
  const before = await one.observe(world);
  await ready.broker.order(order);
  const answer = await ready.broker.call(one.tool, args).catch(() => null);
  if (answer !== null) await ready.broker.stop();
  await ready.broker.ended;
  const broker = await ready.again();
  await one.settle?.(world);
  const entries = await entriesSince(broker, since);
  const outcome = entries.find((entry) => entry.kind === "outcome" && entry.tool === one.tool);
  const intent = entries.find((entry) => entry.kind === "intent" && entry.tool === one.tool);
  demand(`${at}: it has an intent and no outcome`, intent === undefined || outcome !== undefined);
  const status = outcome?.status ?? "never begun";
  const text = String(outcome?.body["text"] ?? "");
  if (status === "done")
    same(`${at}: said to be done (${text}), but the effect is not whole`, await (one.effect ?? one.observe).call(one, world), effect);
  else if (status === "uncertain") demand(`${at}: ${text}`, tool.image === null);
  else same(`${at}: said to be ${status} (${text}), but something is different`, await one.observe(world), before);
  await demandWhole(broker, at);
  if (status === "done" && canBeUndone(one, tool) && outcome?.call != null) {
    await undo(broker, outcome.call);
    await one.settle?.(world);
    same(`${at}: taking it back afterwards did not restore`, await one.observe(world), before);
  }
  return broker;
}

async function main(): Promise<void> {
  const [tool_name, name, how] = process.argv.slice(2);
  const one = cases.find((each) => each.tool === tool_name && each.name === name);
  const tool = testCatalog().find((each) => each.name === tool_name);
  if (one === undefined || tool === undefined) throw new Error(`there is no case "${name}" of ${tool_name}`);
  const points = (asked: number): string[] => (how === "--all" ? allPoints(tool, asked) : somePoints(tool, asked, cases.indexOf(one)));
  const killed = "killed anywhere it is all or nothing, and on record";
  const changes = tool.risk !== "observe" && one.looks !== true && one.fails === undefined;
  await inWorld(one, async (ready) => {
    await proving("without permission or with bad arguments nothing happens", proveRefused(one, ready));
    await proving("what was done can be undone, and redone", proveUndone(one, tool, ready));
    if (changes && canBeUndone(one, tool)) await proving(killed, proveKilled(one, tool, points, ready));
  });
  if (changes && !canBeUndone(one, tool)) await proving(killed, proveKilledInWorlds(one, tool, points));
  if (changes && tool.changedNothing !== undefined)
    await proving(
      "done twice it says that it has changed nothing",
      inWorld(one, (ready) => proveUnchanged(one, ready)),
    );
}

/** What is proved, before why it is not so. */
async function proving(what: string, proof: Promise<void>): Promise<void> {
  try {
    await proof;
  } catch (error) {
    throw new Unproven(`${what}: ${error instanceof Unproven ? error.message : error instanceof Error ? error.stack : String(error)}`);
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Unproven ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
