/**
 * Runs one process and ends it; knows nothing of the policy that decides when. What a service needs on the running system
 * (cgroup, folders, devices) is prepared in `prepare.ts`.
 */

import type { Output } from "./capture.ts";

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
}

export interface RunOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Without it the output goes nowhere. */
  readonly onOutput?: (output: Output) => void;
  /** Called as soon as the pid is known, before it can have been collected. */
  readonly onPid?: (pid: number) => void;
}

export interface Running {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
}

/** Bubblewrap reports a signal that ended its child as 128 plus its number. */
const signal_base = 128;

const signal_names: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  31: "SIGSYS",
};

/** @throws when the program cannot be started at all */
export function run(options: RunOptions): Running {
  const piped = options.onOutput === undefined ? "ignore" : "pipe";
  const child = Bun.spawn([...options.argv], { env: { ...options.env }, cwd: "/", stdin: "ignore", stdout: piped, stderr: piped });
  options.onPid?.(child.pid);
  if (options.onOutput !== undefined && child.stdout instanceof ReadableStream && child.stderr instanceof ReadableStream)
    options.onOutput({ stdout: child.stdout, stderr: child.stderr });
  const ended = child.exited.then(
    (status): Ended => (child.signalCode === null ? { status, signal: null } : { status: null, signal: nameOf(child.signalCode) }),
    (): Ended => ({ status: null, signal: null }),
  );
  return { pid: child.pid, ended };
}

function nameOf(signal: string | number): string {
  return typeof signal === "string" ? signal : (signal_names[signal] ?? `signal ${signal}`);
}

/** The end of the service itself, behind the bubblewrap around it. */
export function behindSandbox(ended: Ended): Ended {
  const name = ended.status === null ? undefined : signal_names[ended.status - signal_base];
  return name === undefined ? ended : { status: null, signal: name };
}
