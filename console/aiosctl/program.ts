/** The command line: its commands, its help, its completion. */

import tab from "@bomb.sh/tab/commander";
import { Command, CommanderError } from "commander";
import { core_services } from "../../contracts/service.ts";
import about from "../../package.json" with { type: "json" };
import { RefusedError, UnreachableError } from "./client.ts";
import { addChangeCommands } from "./commands/change.ts";
import { addFollowCommands } from "./commands/follow.ts";
import { addLookCommands, type Run } from "./commands/look.ts";
import { makeContext, type SharedOptions, type Surroundings } from "./context.ts";
import { exit, exit_help } from "./exit.ts";
import { plain } from "./text/plain.ts";

const service_commands = ["logs", "start", "stop", "restart"];

/** Runs one command line. @returns the exit code */
export async function runProgram(argv: readonly string[], around: Surroundings, signal: AbortSignal): Promise<number> {
  let code: number = exit.ok;
  const program = new Command("aiosctl")
    .description("Look at an aiOS system and change it, through its console socket.")
    .version(about.version, "-V, --version", "show the version of aiosctl")
    .option("--socket <path>", "the console's unix socket")
    .option("--json", "answers as JSON; streams as one JSON object a line")
    .addHelpText("after", exit_help)
    .showHelpAfterError("(aiosctl --help shows all commands)")
    .exitOverride();
  const run: Run =
    (command) =>
    async (...args) => {
      const context = makeContext(program.opts<SharedOptions>(), around, signal);
      code = await command(context, ...args.filter((one) => typeof one === "string"));
    };
  addLookCommands(program, run);
  addFollowCommands(program, run);
  addChangeCommands(program, run);
  program
    .command("watch")
    .description("live view of the whole system; q quits")
    .option("--interval <seconds>", "seconds between two samples", "1")
    .action(run(async (context) => await (await import("./watch/start.tsx")).watch(context, intervalOf(program))));
  for (const command of program.commands) command.exitOverride();
  addCompletion(program);
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return codeOf(error);
  }
}

function intervalOf(program: Command): number {
  const text: unknown = program.commands.find((one) => one.name() === "watch")?.opts()["interval"];
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0.1 && seconds <= 60) return Math.round(seconds * 1000);
  throw new CommanderError(exit.usage, "aiosctl.interval", `error: --interval "${String(text)}" is not from 0.1 to 60 seconds`);
}

function addCompletion(program: Command): void {
  const completion = tab(program);
  for (const name of service_commands) {
    const argument = completion.commands.get(name)?.arguments.get("service");
    if (argument !== undefined)
      argument.handler = (complete) => {
        for (const service of core_services) complete(service, "");
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
    complain(`aiosctl: ${error.message}${error.problem.todo === undefined ? "" : `\n  do: ${error.problem.todo}`}`);
    return exit.failed;
  }
  complain(`aiosctl: ${error instanceof Error ? error.message : String(error)}`);
  return exit.failed;
}

function complain(text: string): void {
  process.stderr.write(`${text.split("\n").map(plain).join("\n")}\n`);
}
