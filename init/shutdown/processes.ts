/** Ends all processes but PID 1: TERM, a while to obey, then KILL. */

import { isSysError } from "../../sys/errors.ts";
import { allStats } from "../../sys/procfs.ts";
import type { System } from "../../sys/system.ts";

const everyone = -1;
const SIGTERM = 15;
const SIGKILL = 9;
const term_limit_ms = 2_000;
const kill_limit_ms = 2_000;
const look_interval_ms = 20;

/** Processes that are not PID 1, threads of the kernel or zombies. */
function othersLeft(): number {
  return allStats().filter((stat) => stat.pid !== 1 && stat.virtual_bytes > 0).length;
}

export async function endProcesses(sys: Pick<System, "process">, left: () => number = othersLeft): Promise<string> {
  const before = left();
  if (before === 0) return "none were left";
  signalAll(sys, SIGTERM);
  if (await gone(left, term_limit_ms)) return `${before} ended`;
  const stubborn = left();
  signalAll(sys, SIGKILL);
  await gone(left, kill_limit_ms);
  return `${before} ended, ${stubborn} of them by KILL, ${left()} did not end`;
}

function signalAll(sys: Pick<System, "process">, signal: number): void {
  try {
    sys.process.kill(everyone, signal);
  } catch (error) {
    if (!isSysError(error, "ESRCH")) throw error; // nobody is left
  }
}

async function gone(left: () => number, limit_ms: number): Promise<boolean> {
  for (const end = performance.now() + limit_ms; performance.now() < end; ) {
    if (left() === 0) return true;
    await Bun.sleep(look_interval_ms);
  }
  return left() === 0;
}
