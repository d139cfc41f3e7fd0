/**
 * Proves the properties of one case (`case.ts`), in the namespaces in which it is started:
 *
 *   bun tools/testing/prove.ts TOOL NAME refused|undone|killed [--all]
 *
 *   refused   bad arguments, and no permission: an error that says so, and nothing is different
 *   undone    done; undone: everything is as it was; redone: everything is as it was after the first time
 *   killed    the broker is killed at each step and before system calls of the tool: afterwards the record says what is
 *             true, and it is all or nothing. `--all`: before every system call, not before a few
 *
 * Ends with status 0, or with what is not so.
 */

import { deepStrictEqual } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { broker_methods } from "../../contracts/broker.ts";
import { callerSocket } from "../../contracts/paths.ts";
import { CallMeta, type CallResult, CallResult as CallResultSchema } from "../../contracts/tool.ts";
import type { Peer } from "../../wire/peer.ts";
import { connectUnix, silent } from "../../wire/unix.ts";
import { cases } from "../catalog/cases.ts";
import type { AnyTool } from "../tool.ts";
import type { ToolCase, World } from "./case.ts";
import { testCatalog } from "./catalog.ts";
import { placesIn } from "./open.ts";

type BrokerPeer = Peer<Record<never, never>, Record<never, never>, typeof broker_methods, Record<never, never>>;

interface Running {
  call(tool: string, args: Record<string, unknown>): Promise<CallResult>;
  readonly peer: BrokerPeer;
  /** Resolves when it has ended, by itself or killed. @returns the last line that it wrote */
  readonly ended: Promise<string>;
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

/** Brokers that run; none outlives its world. */
const running = new Set<Bun.Subprocess>();

async function startBroker(folder: string, options: readonly string[] = []): Promise<Running> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "serve.ts"), folder, ...options], { stdout: "pipe", stderr: "inherit" });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  const reader = child.stdout.getReader();
  let written = "";
  while (!written.includes("ready\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the broker ended before it was ready, with status ${await child.exited}`);
    written += new TextDecoder().decode(value);
  }
  const rest = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      written += new TextDecoder().decode(value);
    }
  })();
  const peer: BrokerPeer = await connectUnix(callerSocket("broker", "console", join(folder, "run")), {
    ...silent,
    calls: broker_methods,
    tells: {},
  });
  return {
    peer,
    call: async (name, args) =>
      CallResultSchema.parse(await peer.call("tools/call", { name, arguments: args, _meta: meta, person }, call_limit_ms)),
    ended: (async () => {
      await Promise.all([child.exited, rest]);
      return written.trim().split("\n").at(-1) ?? "";
    })(),
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
      await rest;
    },
  };
}

/** One world after another, each thrown away. */
/** @param work `earlier`: calls that made the world ready, perhaps of the same tool */
async function inWorld<T>(
  one: ToolCase,
  work: (world: World, folder: string, args: Record<string, unknown>, earlier: ReadonlySet<string | null>) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "prove-"));
  const places = placesIn(folder);
  const work_folder = join(places.data, "work");
  mkdirSync(work_folder, { recursive: true });
  let preparing: Running | null = null;
  const world: World = {
    folder: work_folder,
    places,
    async call(tool, args) {
      preparing ??= await startBroker(folder);
      const result = await preparing.call(tool, args);
      if (result._meta.status !== "done" || result.structuredContent === null)
        throw new Error(`preparing with ${tool} failed: ${result._meta.text}`);
      return result.structuredContent;
    },
  };
  const settle = async (): Promise<void> => {
    await preparing?.stop();
    preparing = null;
  };
  try {
    const args = await one.prepare(world);
    const earlier = await callsOf(preparing);
    await settle();
    return await work(world, folder, args, earlier);
  } finally {
    for (const child of running) child.kill("SIGKILL");
    await one.clean?.(world);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function callsOf(broker: Running | null): Promise<ReadonlySet<string | null>> {
  const found = await broker?.peer.call("audit/query", { query: {}, person }, call_limit_ms);
  return new Set(found?.entries.map(({ call }) => call));
}

async function proveRefused(one: ToolCase): Promise<void> {
  await inWorld(one, async (world, folder, args) => {
    const before = await one.observe(world);
    const denying = await startBroker(folder, ["--authority", "deny"]);
    const refused = await denying.call(one.tool, args);
    await denying.stop();
    same("without permission it says", refused._meta.status, "refused");
    demand("a refusal has an answer", refused.structuredContent === null);
    same("without permission it changed something", await one.observe(world), before);
    const allowing = await startBroker(folder);
    try {
      for (const bad of [{ ...args, no_such_member: 1 }, ...(one.bad?.(world) ?? [])]) {
        const result = await allowing.call(one.tool, bad);
        demand(
          `bad arguments ${JSON.stringify(bad)} end as ${result._meta.status}: ${result._meta.text}`,
          ["invalid", "failed", "undone"].includes(result._meta.status),
        );
        demand(`the error for ${JSON.stringify(bad)} says too little: "${result._meta.text}"`, result._meta.text.length > 20);
        same(`bad arguments ${JSON.stringify(bad)} changed something`, await one.observe(world), before);
      }
    } finally {
      await allowing.stop();
    }
  });
}

async function proveUndone(one: ToolCase, tool: AnyTool): Promise<void> {
  await inWorld(one, async (world, folder, args) => {
    const broker = await startBroker(folder);
    try {
      const before = await one.observe(world);
      const result = await broker.call(one.tool, args);
      demand(`it ended as ${result._meta.status}: ${result._meta.text}`, result._meta.status === (one.fails ?? "done"));
      if (one.fails !== undefined) return same("failing changed something", await one.observe(world), before);
      await one.settle?.(world);
      await one.check?.(result.structuredContent ?? {}, world);
      const after = await one.observe(world);
      if (tool.risk === "observe" || one.looks === true) return same("looking changed something", after, before);
      if (one.final === true || tool.undo === undefined) return;
      same("it can be undone, by its own word", result._meta.undo, "possible");
      const undo = async (call: string): Promise<string> => {
        const { outcomes } = await broker.peer.call("undo/run", { target: { call }, reason: meta.reason, person }, call_limit_ms);
        const outcome = outcomes[0];
        if (outcome?.status !== "done") throw new Unproven(`taking back ${call} ended as ${outcome?.status}: ${outcome?.text}`);
        await one.settle?.(world);
        return outcome.call;
      };
      const undo_call = await undo(result._meta.call);
      same("undo did not restore", await one.observe(world), before);
      if (one.secret === true) {
        const refused = await undo(undo_call).then(
          () => "",
          (error: unknown) => String(error),
        );
        return demand(`making it anew without its secret is refused by "${refused}"`, refused.includes("held secrets, which are not kept"));
      }
      const redo_call = await undo(undo_call);
      const effect = one.effect ?? one.observe;
      if (one.effect === undefined) same("redo is not what the first call was", await effect.call(one, world), after);
      await undo(redo_call);
      same("undo of the redo did not restore", await one.observe(world), before);
      const verdict = await broker.peer.call("audit/verify", { person }, call_limit_ms);
      demand(`the audit is not whole: ${JSON.stringify(verdict.faults)}`, verdict.whole);
    } finally {
      await broker.stop();
    }
  });
}

/** What two undisturbed runs have in common, and how often the tool asked the system for something. */
async function measure(one: ToolCase): Promise<{ readonly effect: unknown; readonly asked: number }> {
  return await inWorld(one, async (world, folder, args) => {
    const broker = await startBroker(folder, ["--count-sys", "--tool", one.tool]);
    const result = await broker.call(one.tool, args);
    demand(`it ended as ${result._meta.status}: ${result._meta.text}`, result._meta.status === "done");
    await one.settle?.(world);
    const effect = await (one.effect ?? one.observe).call(one, world);
    await broker.stop();
    const asked = Number(/^asked (\d+)$/.exec(await broker.ended)?.[1] ?? 0);
    return { effect, asked };
  });
}

async function proveKilled(one: ToolCase, tool: AnyTool, all: boolean): Promise<void> {
  if (tool.risk === "observe" || one.looks === true) return;
  const { effect, asked } = await measure(one);
  const steps = ["authorise", "intent", ...(tool.image === null ? [] : ["image"]), "run", "verify", "outcome"];
  const points = all ? Array.from({ length: asked }, (_, index) => index + 1) : someOf(asked);
  for (const kill of [...steps.map((step) => ["--kill-step", step]), ...points.map((point) => ["--kill-sys", String(point)])])
    await proveKilledAt(one, tool, kill, effect);
}

/** The first, the last, and two between. */
function someOf(count: number): number[] {
  return [...new Set([1, Math.ceil(count / 3), Math.ceil((2 * count) / 3), count])].filter((point) => point >= 1 && point <= count);
}

async function proveKilledAt(one: ToolCase, tool: AnyTool, kill: readonly string[], effect: unknown): Promise<void> {
  const at = `killed with ${kill.join(" ")}`;
  await inWorld(one, async (world, folder, args, earlier) => {
    const before = await one.observe(world);
    const dying = await startBroker(folder, [...kill, "--tool", one.tool]);
    const answer = await dying.call(one.tool, args).catch(() => null);
    if (answer !== null) await dying.stop();
    await dying.ended;
    const broker = await startBroker(folder);
    try {
      await one.settle?.(world);
      const all = await broker.peer.call("audit/query", { query: {}, person }, call_limit_ms);
      const entries = all.entries.filter(({ call }) => !earlier.has(call));
      const outcome = entries.find((entry) => entry.kind === "outcome" && entry.tool === one.tool);
      const intent = entries.find((entry) => entry.kind === "intent" && entry.tool === one.tool);
      demand(`${at}: it has an intent and no outcome`, intent === undefined || outcome !== undefined);
      const status = outcome?.status ?? "never begun";
      const text = String(outcome?.body["text"] ?? "");
      if (status === "done")
        same(`${at}: said to be done (${text}), but the effect is not whole`, await (one.effect ?? one.observe).call(one, world), effect);
      else if (status === "uncertain") demand(`${at}: ${text}`, tool.image === null);
      else same(`${at}: said to be ${status} (${text}), but something is different`, await one.observe(world), before);
      const verdict = await broker.peer.call("audit/verify", { person }, call_limit_ms);
      demand(`${at}: the audit is not whole: ${JSON.stringify(verdict.faults)}`, verdict.whole);
    } finally {
      await broker.stop();
    }
  });
}

async function main(): Promise<void> {
  const [tool_name, name, property, how] = process.argv.slice(2);
  const one = cases.find((each) => each.tool === tool_name && each.name === name);
  const tool = testCatalog().find((each) => each.name === tool_name);
  if (one === undefined || tool === undefined) throw new Error(`there is no case "${name}" of ${tool_name}`);
  if (property === "refused") await proveRefused(one);
  else if (property === "undone") await proveUndone(one, tool);
  else if (property === "killed") await proveKilled(one, tool, how === "--all");
  else throw new Error(`there is no property "${property}"`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Unproven ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
