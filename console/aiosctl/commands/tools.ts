/** Commands for tools: looking at them, calling them, ending a call, taking calls back. */

import { readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import type { UndoTarget } from "../../../contracts/broker.ts";
import type { CallResult, CallStatus } from "../../../contracts/tool.ts";
import { RefusedError } from "../client.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { say, show } from "../output.ts";
import { span, time } from "../text/times.ts";
import { callView, outcomeLine, planView } from "../views/calls.ts";
import { toolsView, toolView } from "../views/tools.ts";
import type { Run } from "./look.ts";

const well: ReadonlySet<CallStatus> = new Set<CallStatus>(["done", "previewed"]);
/** Milliseconds between two looks for the call that is to be followed. */
const look_ms = 100;

export function addToolCommands(program: Command, run: Run): void {
  program
    .command("tools")
    .description("what the system can do; one tool with its arguments")
    .argument("[name]", "a tool, or a family: fs")
    .action(run(async (context, name) => await tools(context, name)));

  const call = program
    .command("call")
    .description("call a tool")
    .argument("<tool>", "its name, as `tools` shows it")
    .option("--json <object>", "its arguments, one JSON object (for JSON output: aiosctl --json call …)")
    .option("--file <path>", "its arguments from a file; - is the standard input")
    .requiredOption("--why <text>", "the reason, for the record")
    .option("--dry-run", "say what it would do, and do nothing")
    .option("--wait <span>", "wait so long for a person's approval, for example 10m", span)
    .option("--follow", "show what its program writes")
    .option("--event <id>", "the event that it is an answer to")
    .option("--group <name>", "calls of one group are undone together")
    .option("--key <text>", "a call with this key is made once, however often it is asked for")
    .option(
      "--confirm-within <span>",
      "take it back unless `aiosctl confirm` comes within so long, for example 60s; 0: let it stand",
      (text: string) => (text === "0" ? 0 : span(text)),
    );
  call.action(run(async (context, name = "") => await makeCall(context, name, call.opts<CallOptions>())));

  const cancel = program
    .command("cancel")
    .description("end a call that runs or waits")
    .argument("<call>", "its id")
    .requiredOption("--why <text>", "the reason, for the record");
  cancel.action(
    run(async (context, id = "") => {
      const outcome = await context.client.call("call_cancel", { path: { id }, body: { reason: cancel.opts<{ why: string }>().why } });
      show(context, outcome, () => outcomeLine(outcome, context.view));
      return exit.ok;
    }),
  );

  program
    .command("confirm")
    .description("keep a call that would otherwise be taken back by itself")
    .argument("<call>", "its id")
    .action(
      run(async (context, id = "") => {
        show(context, await context.client.call("call_confirm", { path: { id }, body: {} }), () => `${id} stands`);
        return exit.ok;
      }),
    );

  const undo = program
    .command("undo")
    .description("take back a call, a group of calls, or everything since a time")
    .argument("[call]", "its id, as `audit` shows it")
    .option("--group <name>", "all calls of this group")
    .option("--since <time>", "everything since then, for example 30m", time)
    .option("--plan", "say what would be taken back and what stands against it, and do nothing")
    .option("--why <text>", "the reason, for the record");
  undo.action(run(async (context, id) => await takeBack(context, id, undo.opts<UndoOptions>())));
}

async function tools(context: Context, name: string | undefined): Promise<number> {
  if (name?.includes(".") === true) {
    show(context, await context.client.call("tool", { path: { name } }), (tool) => toolView(tool, context.view));
    return exit.ok;
  }
  const all = await context.client.call("tools");
  const wanted = name === undefined ? all : all.filter((tool) => tool._meta.family === name);
  if (wanted.length === 0 && name !== undefined)
    throw new Error(`listing tools failed: there is no family "${name}"; \`aiosctl tools\` shows all`);
  show(context, wanted, (some) => toolsView(some, context.view));
  return exit.ok;
}

interface CallOptions {
  readonly json?: string;
  readonly file?: string;
  readonly why: string;
  readonly dryRun?: boolean;
  readonly wait?: number;
  readonly follow?: boolean;
  readonly event?: string;
  readonly group?: string;
  readonly key?: string;
  readonly confirmWithin?: number;
}

async function makeCall(context: Context, name: string, options: CallOptions): Promise<number> {
  const group = options.group ?? (options.follow === true ? `aiosctl-${crypto.randomUUID()}` : undefined);
  const body = {
    name,
    arguments: argumentsOf(options),
    _meta: {
      reason: { text: options.why, ...(options.event === undefined ? {} : { event: options.event }) },
      dry_run: options.dryRun === true,
      wait_ms: Math.min(options.wait ?? 0, 600_000),
      ...(group === undefined ? {} : { group }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.confirmWithin === undefined ? {} : { confirm_within_s: Math.ceil(options.confirmWithin / 1000) }),
    },
  };
  const making = context.client.call("call_make", { body });
  if (options.follow === true && group !== undefined) await follow(context, group, making, written(context));
  return showCall(context, await making);
}

/** A piece of what the program of a call writes. */
type Piece = (stream: "stdout" | "stderr", text: string) => void;

function written({ json }: Context): Piece {
  return (stream, text) => void (json || stream === "stderr" ? process.stderr : process.stdout).write(text);
}

/** Makes a call, and hears what it writes until it ends. */
export async function callFollowed(
  context: Context,
  name: string,
  args: Record<string, unknown>,
  why: string,
  piece: Piece,
): Promise<CallResult> {
  const group = `aiosctl-${crypto.randomUUID()}`;
  const making = context.client.call("call_make", { body: { name, arguments: args, _meta: { reason: { text: why }, group } } });
  await follow(context, group, making, piece);
  return await making;
}

export function showCall(context: Context, result: CallResult): number {
  show(context, result, () => callView(result, context.view));
  if (result._meta.status === "waiting") return exit.waiting;
  return well.has(result._meta.status) ? exit.ok : exit.failed;
}

/** The call's id is in the audit as soon as it begins. What its program writes goes to stderr with `--json`. */
async function follow(context: Context, group: string, making: Promise<CallResult>, piece: Piece): Promise<void> {
  let over = false;
  making.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  while (!over && !context.signal.aborted) {
    for await (const entry of context.client.stream("audit", { query: { group, kind: "intent", lines: "1" } })) {
      if (entry.call !== null) return await showOutput(context, entry.call, piece);
    }
    await Bun.sleep(look_ms);
  }
}

async function showOutput(context: Context, id: string, piece: Piece): Promise<void> {
  try {
    for await (const news of context.client.stream("call_follow", { path: { id }, signal: context.signal })) {
      if ("outcome" in news) return;
      piece(news.stream, news.text);
    }
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error; // it was over before it could be followed
  }
}

function argumentsOf({ json, file }: CallOptions): Record<string, unknown> {
  if (json !== undefined && file !== undefined) throw usage("--json and --file are both given; give one");
  const text = file === undefined ? (json ?? "{}") : readText(file);
  const source = file === undefined ? "--json" : `--file "${file}"`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usage(`${source} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usage(`${source} is not a JSON object: give {"name": value, …}`);
  return { ...value };
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw usage(`reading "${file}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface UndoOptions {
  readonly group?: string;
  readonly since?: number;
  readonly plan?: boolean;
  readonly why?: string;
}

async function takeBack(context: Context, id: string | undefined, { group, since, plan, why }: UndoOptions): Promise<number> {
  const targets: UndoTarget[] = [
    ...(id === undefined ? [] : [{ call: id }]),
    ...(group === undefined ? [] : [{ group }]),
    ...(since === undefined ? [] : [{ since_ms: since }]),
  ];
  const target = targets[0];
  if (target === undefined || targets.length > 1)
    throw usage("say what to take back: a call's id, --group NAME or --since TIME, one of them");
  if (plan === true) {
    const made = await context.client.call("undo_plan", { body: { target } });
    show(context, made, () => planView(made, context.view));
    return made.obstacles.length === 0 ? exit.ok : exit.failed;
  }
  if (why === undefined) throw usage("--why '…' is missing: the reason, for the record (or --plan to look only)");
  const answer = await context.client.call("undo", { body: { target, reason: { text: why } } });
  show(context, answer, ({ outcomes }) => outcomes.map((outcome) => outcomeLine(outcome, context.view)));
  const all_done = answer.outcomes.length === answer.plan.calls.length && answer.outcomes.every(({ status }) => status === "done");
  if (!all_done && !context.json) say("not everything was taken back");
  return all_done ? exit.ok : exit.failed;
}

/** A command line that is wrong: exit code 2. */
export function usage(text: string): CommanderError {
  return new CommanderError(exit.usage, "aiosctl.usage", `error: ${text}`);
}
