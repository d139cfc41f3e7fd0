/** Finding a program behind what stands around it, and ending all of it. */

import { readFileSync, statSync } from "node:fs";
import { killCgroup } from "../../sys/cgroup.ts";
import { allStats, isRunning, isWrapper, mainPid, readStat, treeBelow } from "../../sys/procfs.ts";

/** One process of this boot, whoever has its pid later. */
export interface Identity {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly started_ticks: number;
}

const start_limit_ms = 3000;
const start_interval_ms = 2;

/** Of a child that was not collected yet. */
export function identityOf(pid: number): Identity {
  return { pid, started_ticks: readStat(pid)?.started ?? 0 };
}

/** Waits until the program itself runs below `outer`. @returns `outer` itself when it has ended before, or hides behind its name */
export async function findProgram(outer: number): Promise<Identity> {
  const first = identityOf(outer);
  for (let waited_ms = 0; waited_ms < start_limit_ms; waited_ms += start_interval_ms) {
    if (!isRunning(first.pid, first.started_ticks)) return first;
    const stat = readStat(mainPid(outer));
    if (stat !== null && !isWrapper(stat)) return { pid: stat.pid, started_ticks: stat.started };
    await Bun.sleep(start_interval_ms);
  }
  return first;
}

/** Ends a program and everything that it started: by its cgroup, else by its tree and its session's process group. */
export function endAll({ pid, started_ticks }: Identity, cgroup: string | null): void {
  if (cgroup !== null && killCgroup(cgroup)) return;
  if (isRunning(pid, started_ticks)) for (const stat of treeBelow(pid, allStats())) kill(stat.pid);
  else kill(-pid); // a group keeps its number from being given to others for as long as it has members
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended meanwhile
  }
}

const end_limit_ms = 2000;
const end_interval_ms = 5;

/**
 * Ends the trees of all processes in whose first environment the variable has a value that begins so, and waits until none of
 * them is there any more: what stands around a program goes before what it holds is taken from it. Never throws.
 */
export async function endMarked(variable: string, prefix: string): Promise<void> {
  const ended = new Map<number, Identity>();
  for (let waited_ms = 0; waited_ms < end_limit_ms; waited_ms += end_interval_ms) {
    const stats = allStats();
    const found = stats.filter(({ pid, state }) => state !== "Z" && isMarked(pid, `${variable}=${prefix}`));
    for (const { pid, started } of found.flatMap((root) => treeBelow(root.pid, stats))) {
      kill(pid);
      ended.set(pid, { pid, started_ticks: started });
    }
    const left = [...ended.values()].some(({ pid, started_ticks }) => isRunning(pid, started_ticks));
    if (found.length === 0 && !left) return;
    await Bun.sleep(end_interval_ms);
  }
}

/** Only root's own processes count: others could claim to belong to any call. */
function isMarked(pid: number, mark: string): boolean {
  try {
    if (statSync(`/proc/${pid}`).uid !== 0) return false;
    return readFileSync(`/proc/${pid}/environ`, "latin1")
      .split("\0")
      .some((variable) => variable.startsWith(mark));
  } catch {
    return false;
  }
}
