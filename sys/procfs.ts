/** The tree of processes, read from /proc (proc(5): /proc/pid/stat). */

import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface Stat {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly ppid: number;
  /** User and system time, clock ticks. */
  readonly ticks: number;
  readonly threads: number;
  /** A thread of the kernel, PF_KTHREAD. */
  readonly kernel: boolean;
  /** -20 to 19 */
  readonly nice: number;
  /** When it began, clock ticks after boot: with the pid it names one process. */
  readonly started: number;
  /** 0 for a zombie and for a thread of the kernel. */
  readonly virtual_bytes: number;
  readonly rss_pages: number;
}

/** linux/sched.h */
const pf_kthread = 0x0020_0000;

/** The name may hold spaces and brackets: it ends at the last closing one. @returns null when it is not such a line */
function parseStat(line: string): Stat | null {
  const open = line.indexOf("(");
  const close = line.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const rest = line.slice(close + 2).split(" ");
  const field = (number: number): number => Number(rest[number - 3]);
  const pid = Number(line.slice(0, open));
  const ppid = field(4);
  if (!Number.isInteger(pid) || !Number.isInteger(ppid)) return null;
  return {
    pid,
    name: line.slice(open + 1, close),
    state: rest[0] ?? "?",
    ppid,
    ticks: field(14) + field(15),
    kernel: (field(9) & pf_kthread) !== 0,
    nice: field(19),
    threads: field(20),
    started: field(22),
    virtual_bytes: field(23),
    rss_pages: field(24),
  };
}

/** @param thread one of its threads instead of all of it */
export function readStat(pid: number, thread?: number): Stat | null {
  try {
    return parseStat(readFileSync(thread === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`, "utf8"));
  } catch {
    return null;
  }
}

export function allStats(): Stat[] {
  const stats: Stat[] = [];
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const stat = readStat(Number(name));
    if (stat !== null) stats.push(stat);
  }
  return stats;
}

/** `pid` and all below it, parents before children. */
export function treeBelow(pid: number, stats: readonly Stat[]): Stat[] {
  const children = new Map<number, Stat[]>();
  for (const stat of stats) children.set(stat.ppid, [...(children.get(stat.ppid) ?? []), stat]);
  const found = stats.filter((stat) => stat.pid === pid);
  for (let at = 0; at < found.length; at += 1) found.push(...(children.get((found[at] as Stat).pid) ?? []));
  return found;
}

/** Programs that only stand between PID 1 and a service. */
const wrappers = new Set(["launch", "bwrap"]);

/** The same process as when it was looked at first, and not ended: nobody else with its pid. */
export function isRunning(pid: number, started_ticks: number): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.started === started_ticks && stat.state !== "Z" && stat.state !== "X";
}

/** Whether this is a program that only stands between the one who starts and what is started. */
export function isWrapper(stat: Stat): boolean {
  return wrappers.has(stat.name);
}

/** The process that is the service itself: the first below `pid` that is not one of the wrappers around it. */
export function mainPid(pid: number): number {
  const tree = childrenKnown(pid) ? descend(pid) : treeBelow(pid, allStats());
  return tree.find((stat) => !wrappers.has(stat.name))?.pid ?? pid;
}

/** Whether this kernel lists the children of a process (CONFIG_PROC_CHILDREN); reading all of /proc is the slow way. */
function childrenKnown(pid: number): boolean {
  return existsSync(`/proc/${pid}/task/${pid}/children`);
}

/** Wrappers have one thread and one child. */
function descend(from: number): Stat[] {
  const found: Stat[] = [];
  let pid: number | null = from;
  while (pid !== null && found.length < 8) {
    const stat = readStat(pid);
    if (stat === null) break;
    found.push(stat);
    pid = wrappers.has(stat.name) ? firstChild(pid) : null;
  }
  return found;
}

function firstChild(pid: number): number | null {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    return first === undefined || first === "" ? null : Number(first);
  } catch {
    return null;
  }
}
