/**
 * A program that goes on after its call, and after the broker that started it. It writes into named pipes that it holds
 * open for reading too: without a reader it neither ends (SIGPIPE) nor loses what it wrote, it waits; and the next broker
 * opens the pipes by their names and reads on. Nothing of it grows on a disk.
 */

import { chmodSync, chownSync, closeSync, constants, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { constants as os_constants } from "node:os";
import { dirname } from "node:path";
import { isRunning } from "../../sys/procfs.ts";
import type { System } from "../../sys/system.ts";
import { leaveCell } from "./cell.ts";
import type { Finished, KeptProgram, Started } from "./exec.ts";
import { type Held, type Holder, keepNewest } from "./output.ts";
import { endAll } from "./tree.ts";

type Calls = Pick<System, "process" | "descriptor">;

/** Milliseconds between looks at an adopted program, whose end nobody tells. */
const look_interval_ms = 250;
const read_bytes = 64 * 1024;
/** Reads of one pipe in one turn: a program that writes without end must not keep the broker from its work. */
const reads_max = 16;

interface Reader {
  readonly holder: Holder;
  readAll(turns_max: number): void;
  close(): void;
}

function openReader(path: string, sys: Calls, bytes_max: number): Reader {
  const fd = sys.descriptor.open(path, ["read"]);
  const holder = keepNewest(bytes_max);
  const buffer = Buffer.alloc(read_bytes);
  let open = true;
  const readAll = (turns_max: number): void => {
    for (let turn = 0; open && turn < turns_max; turn += 1) {
      const count = sys.descriptor.read(fd, buffer);
      if (count === null || count === 0) return;
      holder.push(buffer.subarray(0, count));
    }
    if (open) setImmediate(() => readAll(reads_max));
  };
  const watch = sys.descriptor.onReadable(fd, () => readAll(reads_max));
  return {
    holder,
    readAll,
    close() {
      if (!open) return;
      open = false;
      watch.close();
      sys.descriptor.close(fd);
    },
  };
}

interface Pipes {
  readonly path: string;
  readonly stdout: Holder;
  readonly stderr: Holder;
  /** Reads what is left, closes and removes them. */
  end(): { readonly stdout: Held; readonly stderr: Held };
  close(): void;
}

const names = ["stdout", "stderr"] as const;

/** Pipes that are there already, under `path`. @throws {SysError} */
function readPipes(path: string, sys: Calls, bytes_max: number): Pipes {
  const [out, err] = names.map((name) => openReader(`${path}.${name}`, sys, bytes_max)) as [Reader, Reader];
  const close = (): void => {
    for (const reader of [out, err]) reader.close();
    for (const name of names) rmSync(`${path}.${name}`, { force: true });
  };
  const pipe_turns = 17; // the most that a pipe holds (fcntl(2), F_SETPIPE_SZ: 1 MiB), and the end
  return {
    path,
    stdout: out.holder,
    stderr: err.holder,
    close,
    end() {
      for (const reader of [out, err]) reader.readAll(pipe_turns);
      close();
      return { stdout: out.holder.held, stderr: err.holder.held };
    },
  };
}

/** Makes the pipes, and opens the ends that the program gets. @throws {SysError} */
export function openPipes(path: string, uid: number, sys: Calls, bytes_max: number) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  for (const name of names) {
    rmSync(`${path}.${name}`, { force: true });
    sys.descriptor.makePipe(`${path}.${name}`, 0o600);
    chmodSync(`${path}.${name}`, 0o600);
    chownSync(`${path}.${name}`, uid, uid); // so that it may open /dev/stdout
  }
  const pipes = readPipes(path, sys, bytes_max);
  const writers = names.map((name) => openSync(`${path}.${name}`, constants.O_RDWR)) as [number, number];
  const leaveWriters = (): void => {
    for (const fd of writers.splice(0)) closeSync(fd);
  };
  const close = (): void => {
    leaveWriters();
    pipes.close();
  };
  return { ...pipes, writers, leaveWriters, close };
}

export function follow(kept: KeptProgram, pipes: Pipes, ended: Promise<Finished>, sys: Calls): Started {
  return {
    pid: kept.pid,
    cgroup: kept.cgroup,
    kept,
    ended,
    get running() {
      return isRunning(kept.outer_pid, kept.outer_started_ticks);
    },
    tail() {
      const [stdout, stderr] = [pipes.stdout.held, pipes.stderr.held];
      return { stdout: stdout.bytes, stderr: stderr.bytes, dropped_bytes: stdout.dropped_bytes + stderr.dropped_bytes };
    },
    kill: (signal) => signalTo(kept, os_constants.signals[signal], sys),
    end: () => endAll({ pid: kept.outer_pid, started_ticks: kept.outer_started_ticks }, kept.cgroup),
  };
}

/** To the process that is meant, never to another with its pid. */
function signalTo({ pid, started_ticks }: KeptProgram, signal: number, sys: Calls): void {
  let pidfd: number | null = null;
  try {
    pidfd = sys.process.openPid(pid);
    if (isRunning(pid, started_ticks)) sys.process.signal(pidfd, signal);
  } catch {
    // it has ended
  } finally {
    if (pidfd !== null) sys.descriptor.close(pidfd);
  }
}

/** @returns null when it has ended, and then what it left is taken away */
export function adopt(kept: KeptProgram, sys: Calls, bytes_max: number): Started | null {
  const running = (): boolean => isRunning(kept.outer_pid, kept.outer_started_ticks);
  const there = names.every((name) => existsSync(`${kept.pipes}.${name}`));
  if (!running() || !there) {
    if (!running() && kept.cgroup !== null) void leaveCell(kept.cgroup);
    for (const name of names) rmSync(`${kept.pipes}.${name}`, { force: true });
    return null;
  }
  const began = performance.now();
  const pipes = readPipes(kept.pipes, sys, bytes_max);
  const { promise: ended, resolve } = Promise.withResolvers<Finished>();
  const timer = setInterval(() => {
    if (running()) return;
    clearInterval(timer);
    if (kept.cgroup !== null) void leaveCell(kept.cgroup);
    const { stdout, stderr } = pipes.end();
    resolve({
      status: null,
      signal: null,
      ended_for: null,
      stdout: stdout.bytes,
      stderr: stderr.bytes,
      stdout_dropped_bytes: stdout.dropped_bytes,
      stderr_dropped_bytes: stderr.dropped_bytes,
      took_ms: performance.now() - began,
      cpu_ms: null,
      memory_peak_bytes: null,
    });
  }, look_interval_ms);
  timer.unref();
  return follow(kept, pipes, ended, sys);
}
