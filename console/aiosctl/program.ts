/** The command line: its commands, its help, its completion. */

import tab from "@bomb.sh/tab/commander";
import { Command, CommanderError, Help } from "commander";
import { core_services } from "../../contracts/service.ts";
import about from "../../package.json" with { type: "json" };
import { RefusedError, UnreachableError } from "./client.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addChangeCommands } from "./commands/change.ts";
import { addFollowCommands } from "./commands/follow.ts";
import { addGoalCommands } from "./commands/goal.ts";
import { addKnowledgeCommands } from "./commands/knowledge.ts";
import { addLearnCommands } from "./commands/learn.ts";
import { addLookCommands, type Run } from "./commands/look.ts";
import { addMemoryCommands } from "./commands/memory.ts";
import { addModelCommands } from "./commands/model.ts";
import { addPermissionCommands } from "./commands/permission.ts";
import { addSecretCommands } from "./commands/secret.ts";
import { addToolCommands } from "./commands/tools.ts";
import { type Context, makeContext, type SharedOptions, type Surroundings } from "./context.ts";
import { exit, exit_help } from "./exit.ts";
import { plain } from "./text/plain.ts";

const socket_option = ["--socket <path>", "the console's unix socket"] as const;
const json_option = ["--json", "answers as JSON; streams as one JSON object a line"] as const;
/** Milliseconds that a shell waits for names. */
const names_wait_ms = 1000;
const service_commands = ["logs", "start", "stop", "restart"];

/** Runs one command line. @returns the exit code */
export async function runProgram(argv: readonly string[], around: Surroundings, signal: AbortSignal): Promise<number> {
  let code: number = exit.ok;
  const program = new Command("aiosctl")
    .description("Look at an aiOS system and change it, through its console socket.")
    .version(about.version, "-V, --version", "show the version of aiosctl")
    .option(...socket_option)
    .option(...json_option)
    .enablePositionalOptions()
    .addHelpText("after", exit_help)
    .configureHelp({ commandUsage: usageOf })
    .showHelpAfterError("(aiosctl --help shows all commands)")
    .exitOverride();
  const run: Run =
    (command) =>
    async (...args) => {
      const context = makeContext(sharedOptions(program, args), around, signal);
      code = await command(context, ...args.filter((one) => typeof one === "string"));
    };
  addLookCommands(program, run);
  addFollowCommands(program, run);
  addChangeCommands(program, run);
  addToolCommands(program, run);
  addAuditCommands(program, run);
  addPermissionCommands(program, run);
  addSecretCommands(program, run);
  addGoalCommands(program, run);
  addKnowledgeCommands(program, run);
  addMemoryCommands(program, run);
  addModelCommands(program, run);
  addLearnCommands(program, run);
  program
    .command("watch")
    .description("live view of the whole system; q quits")
    .option("--interval <seconds>", "seconds between two samples", "1")
    .action(run(async (context) => await (await import("./watch/start.tsx")).watch(context, intervalOf(program))));
  program
    .command("mcp")
    .description("the tools as a Model Context Protocol server on stdin and stdout")
    .action(run(async (context) => await (await import("./mcp.ts")).serveMcp(context)));
  addSharedOptions(program);
  addCompletion(program, await knownNames(argv, makeContext({}, around, signal)));
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return codeOf(error);
  }
}

/** With the options that a command cannot do without, which commander lists among the others. */
function usageOf(command: Command): string {
  const needed = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags.replace(/^-\w, /, ""));
  return new Help().commandUsage(command).replace("[options]", ["[options]", ...needed].join(" "));
}

/** They may be given before and after the command's name; `call` has a `--json` of its own. */
function addSharedOptions(command: Command): void {
  for (const below of command.commands) {
    below.exitOverride();
    const has = (flag: string): boolean => below.options.some(({ long }) => long === flag);
    if (!has("--socket")) below.option(...socket_option);
    if (!has("--json")) below.option(...json_option);
    addSharedOptions(below);
  }
}

function sharedOptions(program: Command, args: readonly unknown[]): SharedOptions {
  const given: SharedOptions[] = [];
  for (let one = args.at(-1); one instanceof Command; one = one.parent) given.push(one.opts<SharedOptions>());
  if (given.length === 0) given.push(program.opts<SharedOptions>());
  return {
    socket: given.find(({ socket }) => socket !== undefined)?.socket,
    json: given.some(({ json }) => json === true),
  };
}

function intervalOf(program: Command): number {
  const text: unknown = program.commands.find((one) => one.name() === "watch")?.opts()["interval"];
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0.1 && seconds <= 60) return Math.round(seconds * 1000);
  throw new CommanderError(exit.usage, "aiosctl.interval", `error: --interval "${String(text)}" is not from 0.1 to 60 seconds`);
}

/** Names that only the system knows, by the command and argument that take them: asked for when a shell asks. */
async function knownNames(argv: readonly string[], { client }: Context): Promise<Readonly<Record<string, readonly string[]>>> {
  const [complete, dashes, command = ""] = argv;
  if (complete !== "complete" || dashes !== "--") return {};
  const ask: Readonly<Record<string, () => Promise<readonly string[]>>> = {
    tool: async () => (await client.call("tools")).map(({ name }) => name),
    waiting: async () => (await client.call("approvals")).map(({ call }) => call),
    grant: async () => (await client.call("grants")).grants.map(({ id }) => id),
  };
  const what = { call: "tool", tools: "tool", approve: "waiting", decline: "waiting", revoke: "grant" }[command];
  const names = what === undefined ? undefined : ask[what]?.();
  // nobody waits for a completion: without an answer there is none
  return names === undefined ? {} : { [command]: await Promise.race([names, Bun.sleep(names_wait_ms).then(() => [])]).catch(() => []) };
}

function addCompletion(program: Command, names: Readonly<Record<string, readonly string[]>>): void {
  const completion = tab(program);
  const services = Object.fromEntries(service_commands.map((name) => [name, core_services]));
  for (const [command, values] of Object.entries({ ...services, ...names })) {
    const [argument] = completion.commands.get(command)?.arguments.values() ?? [];
    if (argument !== undefined)
      argument.handler = (complete) => {
        for (const value of values) complete(value, "");
      };
  }
}

function codeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exit.ok;
    // Commander has said what is wrong, except what we found ourselves.
    if (error.code.startsWith("aiosctl.")) complain(error.message);
    return exit.usage;
  }
  if (error instanceof UnreachableError) {
    complain(`aiosctl: ${error.message}`);
    return exit.unreachable;
  }
  if (error instanceof RefusedError) {
    const { todo } = error.problem;
    complain(`aiosctl: ${error.message}${todo === undefined ? "" : `\n  do: ${withCommands(todo)}`}`);
    return exit.failed;
  }
  complain(`aiosctl: ${error instanceof Error ? error.message : String(error)}`);
  return exit.failed;
}

/** What the API says of its routes, as the commands that show the same: they have the same names. */
function withCommands(todo: string): string {
  return todo.replaceAll(/GET \/v1\/([a-z]+)(\.json)?/g, "aiosctl $1");
}

function complain(text: string): void {
  process.stderr.write(`${text.split("\n").map(plain).join("\n")}\n`);
}
