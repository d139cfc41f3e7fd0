/** Starts and ends the processes of services on the running system: what the supervisor's actions become. */

import { cgroupPids, isPopulated, killCgroup } from "../../sys/cgroup.ts";
import type { Watch } from "../../sys/descriptor.ts";
import { allStats, mainPid, treeBelow } from "../../sys/procfs.ts";
import type { System } from "../../sys/system.ts";
import { capture, type Sink } from "./capture.ts";
import { type Notified, parseNotify } from "./notify.ts";
import type { Reaper } from "./orphans.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { behindSandbox, type Ended, run } from "./process.ts";
import type { ServiceSpec } from "./spec.ts";

export interface Handle {
  /** The child of PID 1: the service, or the sandbox around it. */
  readonly pid: number;
  /** The service itself. */
  mainPid(): number;
  /** Asks it to end: TERM to the service itself, since a sandbox would end at once and take it along. */
  term(): void;
  /** Ends it and everything that it started. */
  kill(): void;
}

export interface RunnerHears {
  ended(how: Ended): void;
  notified(what: Notified): void;
  readonly output: Sink;
}

export interface Runner {
  /** @throws when it cannot be started */
  start(spec: ServiceSpec, hears: RunnerHears): Handle;
}

interface RunnerOptions {
  /** Loaded late: the first service starts before the system calls are there. */
  readonly system: () => System;
  readonly reaper: Pick<Reaper, "own" | "disown">;
  readonly now: () => number;
}

/** After KILL, milliseconds: a process with much memory takes tenths of a second. */
const leave_limit_ms = 2_000;
const leave_look_ms = 5;
const SIGKILL = 9;
const SIGTERM = 15;

export function processRunner(options: RunnerOptions): Runner {
  const signal = (pid: number, number: number): void => {
    try {
      process.kill(pid, number);
    } catch {
      // it ended meanwhile
    }
  };
  return {
    start(spec, hears) {
      const prepared = prepare(spec);
      const watch = hearNotify(options.system, spec, prepared, hears);
      const { pid, ended } = startOr(
        () => watch?.close(),
        () =>
          run({
            argv: prepared.argv,
            env: prepared.env,
            onPid: options.reaper.own,
            onOutput: (output) => void capture(output, options.now, hears.output),
          }),
      );
      const kill = (): void => {
        if (prepared.cgroup !== null && killCgroup(prepared.cgroup)) return;
        const inside = prepared.cgroup === null ? [] : cgroupPids(prepared.cgroup);
        for (const stat of treeBelow(pid, allStats())) signal(stat.pid, SIGKILL);
        for (const other of inside) signal(other, SIGKILL);
      };
      void ended.then(async (how) => {
        options.reaper.disown(pid);
        watch?.close();
        if (prepared.cgroup !== null) await leaveNobody(prepared.cgroup);
        hears.ended(spec.sandbox === null ? how : behindSandbox(how));
      });
      return { pid, mainPid: () => mainPid(pid), term: () => signal(mainPid(pid), SIGTERM), kill };
    },
  };
}

/**
 * What a service started and left behind ends with it, before another is started in its place: a child that is still ending has the
 * port. One that sits in the kernel is not waited for longer than the limit.
 */
async function leaveNobody(cgroup: string): Promise<void> {
  const until_ms = performance.now() + leave_limit_ms;
  while (isPopulated(cgroup) && performance.now() < until_ms) {
    killCgroup(cgroup);
    await Bun.sleep(leave_look_ms);
  }
}

function startOr<T>(undo: () => void, start: () => T): T {
  try {
    return start();
  } catch (error) {
    undo();
    throw error;
  }
}

function hearNotify(system: () => System, spec: ServiceSpec, prepared: Prepared, hears: RunnerHears): Watch | null {
  if (prepared.notify_socket === null) return null;
  const owner = { uid: spec.uid, gid: spec.gid, mode: spec.uid === 0 ? 0o222 : 0o220 };
  return system().datagram.listen(prepared.notify_socket, owner, (message) => hears.notified(parseNotify(message)));
}
