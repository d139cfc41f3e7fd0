/** The real execution of programs. */

import { readdirSync } from "node:fs";
import { constants } from "node:os";
import type { Subprocess } from "bun";
import { isRunning } from "../../sys/procfs.ts";
import type { System } from "../../sys/system.ts";
import { ToolError } from "../tool.ts";
import { argvOf, type Cell, call_variable, type ExecPrograms, environmentOf } from "./argv.ts";
import { cellUse, leaveCell, makeCell, sweepCells } from "./cell.ts";
import { type Command, type Exec, type Finished, type KeptProgram, type Started, tools_uid } from "./exec.ts";
import { drain, keepFirst, textPieces } from "./output.ts";
import { adopt, follow, openPipes } from "./program.ts";
import { openStage, type Stage, strikeStage } from "./stage.ts";
import { refuseFailedStart, shown, stderr_shown_chars, whileMountsGo } from "./start-failure.ts";
import { endAll, endMarked, findProgram, identityOf } from "./tree.ts";

interface ExecutionOptions {
  readonly sys: Pick<System, "process" | "descriptor" | "mount">;
  readonly programs: ExecPrograms;
  readonly places: { readonly run: string; readonly data: string; readonly cgroup: string | null };
}

export interface CallOptions {
  /** The call's id: names its cgroups. */
  readonly call: string;
  readonly signal: AbortSignal;
  output(stream: "stdout" | "stderr", text: string): void;
}

/** One in a broker. */
export interface Execution {
  forCall(options: CallOptions): Exec;
  /** Before the first call: ends what an earlier broker's calls left behind, but not `kept`. @returns how many */
  sweep(kept: readonly KeptProgram[]): Promise<number>;
}

const timeout_default_ms = 60_000;
const output_default_bytes = 1024 * 1024;
/** Of one that goes on, each stream. */
const tail_default_bytes = 64 * 1024;
/** Milliseconds that the pipes of a program that has ended may stay open: then somebody it left behind holds them. */
const pipes_limit_ms = 500;
/** Programs that went on and have ended, of which the last words are remembered. */
const ended_max = 64;

export function linuxExecution(options: ExecutionOptions): Execution {
  const { places } = options;
  const folder = `${places.run}/broker/exec`;
  const going = new Map<string, Started>();
  const remember = (started: Started): Started => {
    going.set(started.kept.pipes, started);
    for (const [pipes, one] of going) {
      if (going.size <= ended_max) break;
      if (!one.running) going.delete(pipes);
    }
    return started;
  };
  return {
    async sweep(kept) {
      const cgroups = new Set(kept.map(({ cgroup }) => cgroup ?? ""));
      for (const name of entries(folder)) if (name.endsWith(stage_suffix)) strikeStage(`${folder}/${name}`, options.sys);
      return await sweepCells(places.cgroup, cgroups);
    },
    forCall: (call) => execOfCall({ ...options, ...call, folder, going, remember }),
  };
}

interface ExecOptions extends ExecutionOptions, CallOptions {
  readonly folder: string;
  readonly going: ReadonlyMap<string, Started>;
  remember(started: Started): Started;
}

const stage_suffix = ".stage";

function execOfCall(options: ExecOptions): Exec {
  let count = 0;
  const enter = (command: Command, dies_with_parent: boolean): Entered => {
    if (options.signal.aborted) throw new ToolError(`starting ${shown(command)} failed: the call was cancelled before`);
    count += 1;
    const name = `${options.call}-${count}`;
    const cgroup = makeCell(options.places.cgroup, name, command.limits);
    const stage = openStage(`${options.folder}/${name}${stage_suffix}`, options.sys);
    const { run, data } = options.places;
    return { name, stage, cell: { cgroup, programs: options.programs, run, data, dies_with_parent, stage: stage.put } };
  };
  const leave = async ({ cell, stage }: Entered): Promise<void> => {
    stage.strike();
    if (cell.cgroup !== null) await leaveCell(cell.cgroup);
  };
  const run = (command: Command): Promise<Finished> =>
    whileMountsGo(async () => {
      const entered = enter(command, true);
      try {
        return await toItsEnd(command, entered, options);
      } finally {
        await leave(entered);
      }
    });
  return {
    run,
    async ok(command) {
      const finished = await run(command);
      if (finished.status !== 0) throw new ToolError(`running ${shown(command)} failed: ${howEnded(finished)}${lastWords(finished)}`);
      return finished;
    },
    start: (command) =>
      whileMountsGo(async () => {
        const entered = enter(command, false);
        try {
          const started = options.remember(await goingOn(command, entered, options));
          entered.stage.strike();
          return started;
        } catch (error) {
          await leave(entered);
          throw error;
        }
      }),
    adopt(kept) {
      const known = options.going.get(kept.pipes);
      if (known !== undefined && known.kept.outer_started_ticks === kept.outer_started_ticks) return known;
      const adopted = adopt(kept, options.sys, tail_default_bytes);
      return adopted === null ? null : options.remember(adopted);
    },
    async endCall(call) {
      const { cgroup } = options.places;
      const cells = cgroup === null ? [] : entries(cgroup).filter((name) => name.startsWith(`${call}-`));
      await Promise.all(cells.map((name) => leaveCell(`${cgroup}/${name}`)));
      await endMarked(call_variable, `${call}-`);
    },
  };
}

interface Entered {
  readonly name: string;
  readonly cell: Cell;
  readonly stage: Stage;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function toItsEnd(command: Command, { cell, name }: Entered, options: ExecOptions): Promise<Finished> {
  const began = performance.now();
  const child = spawn(command, cell, name, ["pipe", "pipe"]);
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

async function goingOn(command: Command, { cell, name }: Entered, options: ExecOptions): Promise<Started> {
  const began = performance.now();
  const uid = command.sandbox === "none" || (command.sandbox.capabilities ?? []).length > 0 ? 0 : (command.sandbox.uid ?? tools_uid);
  const bytes_max = command.limits?.output_bytes_max ?? tail_default_bytes;
  const pipes = openPipes(`${options.folder}/${name}`, uid, options.sys, bytes_max);
  const child = spawnOr(() => pipes.close(), command, cell, name, pipes.writers);
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
  // What /proc shows as ended may be collected only a moment later.
  if (!isRunning(outer.pid, outer.started_ticks)) refuseFailedStart(command, await ended);
  return follow(kept, pipes, ended, options.sys);
}

type Child = Subprocess<Uint8Array | "ignore", "pipe" | number, "pipe" | number>;

function spawn(command: Command, cell: Cell, name: string, [stdout, stderr]: readonly ["pipe" | number, "pipe" | number]): Child {
  try {
    const { stdin } = command;
    return Bun.spawn(argvOf(command, cell), {
      cwd: "/",
      env: environmentOf(command, name),
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

export function howEnded({ status, signal, ended_for, took_ms }: Finished): string {
  if (ended_for === "timeout") return `it was ended after ${Math.round(took_ms)} ms, which was its limit`;
  if (ended_for === "cancelled") return "it was ended because the call was cancelled";
  return signal === null ? `it ended with status ${status}` : `${signal} ended it`;
}

function lastWords({ stderr }: Finished): string {
  const text = Buffer.from(stderr).toString("utf8").trim();
  return text === "" ? "" : `; it last said ${JSON.stringify(text.slice(-stderr_shown_chars))}`;
}
