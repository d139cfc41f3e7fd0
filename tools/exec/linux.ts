/** The real execution of programs: `Exec` for one call. */

import { constants } from "node:os";
import type { Subprocess } from "bun";
import type { System } from "../../sys/system.ts";
import { ToolError } from "../tool.ts";
import { argvOf, type Cell, type ExecPrograms, environmentOf } from "./argv.ts";
import { cellUse, leaveCell, makeCell } from "./cell.ts";
import { type Command, type Exec, type Finished, type KeptProgram, type Started, tools_uid } from "./exec.ts";
import { drain, keepFirst, textPieces } from "./output.ts";
import { adopt, follow, openPipes } from "./program.ts";
import { endAll, findProgram, identityOf } from "./tree.ts";

export interface ExecOptions {
  /** The call's id: names its cgroups. */
  readonly call: string;
  readonly signal: AbortSignal;
  output(stream: "stdout" | "stderr", text: string): void;
  readonly sys: Pick<System, "process" | "descriptor">;
  readonly programs: ExecPrograms;
  readonly places: { readonly run: string; readonly data: string; readonly broker: string; readonly cgroup: string | null };
}

const timeout_default_ms = 60_000;
const output_default_bytes = 1024 * 1024;
/** Milliseconds that the pipes of a program that has ended may stay open: then somebody it left behind holds them. */
const pipes_limit_ms = 500;
const stderr_shown_chars = 800;

export function realExec(options: ExecOptions): Exec {
  let count = 0;
  const enter = (command: Command, dies_with_parent: boolean): { cell: Cell; name: string } => {
    if (options.signal.aborted) throw new ToolError(`starting ${shown(command)} failed: the call was cancelled before`);
    count += 1;
    const name = `${options.call}-${count}`;
    const cgroup = makeCell(options.places.cgroup, name, command.limits);
    return { name, cell: { cgroup, programs: options.programs, run: options.places.run, data: options.places.data, dies_with_parent } };
  };
  const run = async (command: Command): Promise<Finished> => {
    const { cell } = enter(command, true);
    try {
      return await toItsEnd(command, cell, options);
    } finally {
      if (cell.cgroup !== null) await leaveCell(cell.cgroup);
    }
  };
  return {
    run,
    async ok(command) {
      const finished = await run(command);
      if (finished.status !== 0) throw new ToolError(`running ${shown(command)} failed: ${howEnded(finished)}${lastWords(finished)}`);
      return finished;
    },
    async start(command) {
      const { cell, name } = enter(command, false);
      try {
        return await goingOn(command, cell, name, options);
      } catch (error) {
        if (cell.cgroup !== null) await leaveCell(cell.cgroup);
        throw error;
      }
    },
    adopt: (kept: KeptProgram) => adopt(kept, options.sys, output_default_bytes),
  };
}

async function toItsEnd(command: Command, cell: Cell, options: ExecOptions): Promise<Finished> {
  const began = performance.now();
  const child = spawn(command, cell, ["pipe", "pipe"]);
  const started = identityOf(child.pid);
  let ended_for: Finished["ended_for"] = null;
  const end = (why: NonNullable<Finished["ended_for"]>): void => {
    ended_for ??= why;
    endAll(started, cell.cgroup);
  };
  const cancelled = (): void => end("cancelled");
  options.signal.addEventListener("abort", cancelled, { once: true });
  const timer = setTimeout(() => end("timeout"), command.limits?.timeout_ms ?? timeout_default_ms);
  const stdout = taker(child.stdout, "stdout", command, options);
  const stderr = taker(child.stderr, "stderr", command, options);
  try {
    await child.exited;
    if (command.sandbox === "none") endAll(started, cell.cgroup); // in a sandbox the kernel ends the rest
    await Promise.race([Promise.all([stdout.ended, stderr.ended]), Bun.sleep(pipes_limit_ms)]);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", cancelled);
    stdout.stop();
    stderr.stop();
  }
  const finished: Finished = {
    ...endOf(child, command, ended_for),
    stdout: stdout.held.bytes,
    stderr: stderr.held.bytes,
    stdout_dropped_bytes: stdout.held.dropped_bytes,
    stderr_dropped_bytes: stderr.held.dropped_bytes,
    took_ms: performance.now() - began,
    ...usedBy(child, cell.cgroup),
  };
  refuseFailedStart(command, finished);
  return finished;
}

async function goingOn(command: Command, cell: Cell, name: string, options: ExecOptions): Promise<Started> {
  const began = performance.now();
  const uid = command.sandbox === "none" || (command.sandbox.capabilities ?? []).length > 0 ? 0 : (command.sandbox.uid ?? tools_uid);
  const bytes_max = command.limits?.output_bytes_max ?? output_default_bytes;
  const pipes = openPipes(`${options.places.run}/broker/exec/${name}`, uid, options.sys, bytes_max);
  const child = spawnOr(() => pipes.close(), command, cell, pipes.writers);
  pipes.leaveWriters();
  child.unref();
  const outer = identityOf(child.pid);
  const program = await findProgram(child.pid);
  const kept: KeptProgram = {
    pid: program.pid,
    started_ticks: program.started_ticks,
    outer_pid: outer.pid,
    outer_started_ticks: outer.started_ticks,
    cgroup: cell.cgroup,
    pipes: pipes.path,
  };
  const ended = child.exited.then(async (): Promise<Finished> => {
    const used = usedBy(child, cell.cgroup);
    if (cell.cgroup !== null) await leaveCell(cell.cgroup);
    const { stdout, stderr } = pipes.end();
    const output = {
      stdout: stdout.bytes,
      stderr: stderr.bytes,
      stdout_dropped_bytes: stdout.dropped_bytes,
      stderr_dropped_bytes: stderr.dropped_bytes,
    };
    return { ...endOf(child, command, null), ...output, took_ms: performance.now() - began, ...used };
  });
  if (child.exitCode !== null || child.signalCode !== null) refuseFailedStart(command, await ended);
  return follow(kept, pipes, ended, options.sys);
}

type Child = Subprocess<Uint8Array | "ignore", "pipe" | number, "pipe" | number>;

function spawn(command: Command, cell: Cell, [stdout, stderr]: readonly ["pipe" | number, "pipe" | number]): Child {
  try {
    const { stdin } = command;
    return Bun.spawn(argvOf(command, cell), {
      cwd: "/",
      env: environmentOf(command),
      stdin: stdin === undefined ? "ignore" : typeof stdin === "string" ? Buffer.from(stdin) : stdin,
      stdout,
      stderr,
    });
  } catch (error) {
    throw new ToolError(`starting ${shown(command)} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function spawnOr(undo: () => void, ...args: Parameters<typeof spawn>): Child {
  try {
    return spawn(...args);
  } catch (error) {
    undo();
    throw error;
  }
}

function taker(stream: Child["stdout"], name: "stdout" | "stderr", command: Command, options: ExecOptions) {
  const kept = keepFirst(command.limits?.output_bytes_max ?? output_default_bytes);
  const pieces = command.stream === true ? textPieces((text) => options.output(name, text)) : null;
  if (!(stream instanceof ReadableStream)) throw new Error(`reading ${name} of ${shown(command)} failed: it is not a pipe`);
  const drained = drain(stream, (chunk) => {
    kept.push(chunk);
    pieces?.push(chunk);
  });
  return {
    ended: drained.ended.then(() => pieces?.end()),
    stop: drained.stop,
    get held() {
      return kept.held;
    },
  };
}

/** Bubblewrap reports a signal that ended its child as 128 plus its number. */
const signal_base = 128;
const signal_names = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]));

function endOf(child: Child, command: Command, ended_for: Finished["ended_for"]): Pick<Finished, "status" | "signal" | "ended_for"> {
  const status = child.exitCode;
  const inner = status === null || command.sandbox === "none" ? undefined : signal_names.get(status - signal_base);
  if (status === null || ended_for !== null) return { status: null, signal: String(child.signalCode ?? "SIGKILL"), ended_for };
  return inner === undefined ? { status, signal: null, ended_for } : { status: null, signal: inner, ended_for };
}

function usedBy(child: Child, cgroup: string | null): Pick<Finished, "cpu_ms" | "memory_peak_bytes"> {
  const own = child.resourceUsage();
  const cell = cgroup === null ? { cpu_ms: null, memory_peak_bytes: null } : cellUse(cgroup);
  return {
    cpu_ms: cell.cpu_ms ?? (own === undefined ? null : Number(own.cpuTime.total) / 1000),
    memory_peak_bytes: cell.memory_peak_bytes ?? own?.maxRSS ?? null,
  };
}

/** launch.c says with these, and one JSON line, that the program did not come to run; bubblewrap with 1 and its name. */
const launch_failures: readonly (number | null)[] = [120, 121, 122];

/** @throws {ToolError} when it was not the program that failed but its start */
function refuseFailedStart(command: Command, { status, stderr }: Finished): void {
  const text = Buffer.from(stderr).toString("utf8");
  const [last] = text.trimEnd().split("\n").slice(-1);
  const cause = launch_failures.includes(status) && last?.startsWith('{"launch":') === true ? launchWords(last) : null;
  if (cause !== null) throw new ToolError(`starting ${shown(command)} failed: ${cause}`);
  if (status === 1 && command.sandbox !== "none" && text.startsWith("bwrap: "))
    throw new ToolError(
      `starting ${shown(command)} failed: its sandbox could not be made: ${text.slice(7, 7 + stderr_shown_chars).trim()}`,
    );
}

function launchWords(line: string): string {
  const what = /"launch":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "launch";
  const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "unknown";
  return `${what}: ${error}`;
}

export function howEnded({ status, signal, ended_for, took_ms }: Finished): string {
  if (ended_for === "timeout") return `it was ended after ${Math.round(took_ms)} ms, which was its limit`;
  if (ended_for === "cancelled") return "it was ended because the call was cancelled";
  return signal === null ? `it ended with status ${status}` : `${signal} ended it`;
}

function lastWords({ stderr }: Finished): string {
  const text = Buffer.from(stderr).toString("utf8").trim();
  return text === "" ? "" : `; it last said ${JSON.stringify(text.slice(-stderr_shown_chars))}`;
}

const argv_shown_chars = 200;

function shown({ argv }: Command): string {
  return JSON.stringify(argv.join(" ").slice(0, argv_shown_chars));
}
