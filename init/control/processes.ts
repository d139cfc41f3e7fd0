/** All processes, with the services that they belong to. */

import { readFileSync, statSync } from "node:fs";
import type { ProcessInfo } from "../../contracts/init.ts";
import { allStats, type Stat } from "../../sys/procfs.ts";
import { slices } from "../boot/cgroups.ts";
import type { Supervisor } from "../supervise/supervisor.ts";

const page_bytes = 4096;
const tick_ms = 10; // USER_HZ is 100 on every architecture that the system runs on
const name_chars_max = 200;
/** An answer has to fit into one frame (contracts/rpc.ts): with many processes the command lines are shorter. */
const processes_max = 600;
const many = 200;
const cmdline_chars_max = { few: 500, many: 100 } as const;

export function processes(supervisor: Pick<Supervisor, "handles">): ProcessInfo[] {
  const stats = allStats();
  const by_pid = new Map(stats.map((stat) => [stat.pid, stat]));
  const roots = supervisor.handles();
  const cmdline_max = cmdline_chars_max[stats.length > many ? "many" : "few"];
  return stats.slice(0, processes_max).map((stat) => infoOf(stat, serviceOf(stat, by_pid, roots), cmdline_max));
}

function infoOf(stat: Stat, service: string | null, cmdline_max: number): ProcessInfo {
  return {
    pid: stat.pid,
    ppid: stat.ppid,
    uid: uidOf(stat.pid),
    state: stat.state.slice(0, 1),
    service,
    name: stat.name.slice(0, name_chars_max),
    untrusted_cmdline: text(`/proc/${stat.pid}/cmdline`).replaceAll("\0", " ").trim().slice(0, cmdline_max),
    threads: stat.threads,
    rss_bytes: stat.rss_pages * page_bytes,
    pss_bytes: pssOf(stat.pid),
    cpu_ms: stat.ticks * tick_ms,
  };
}

/** By cgroup, else by descent from the service's process. PID 1 is the service "init". */
function serviceOf(stat: Stat, by_pid: ReadonlyMap<number, Stat>, roots: ReadonlyMap<number, string>): string | null {
  if (stat.pid === 1) return "init";
  const named = serviceOfCgroup(text(`/proc/${stat.pid}/cgroup`));
  if (named !== null) return named;
  for (let at: Stat | undefined = stat; at !== undefined && at.pid !== 1; at = by_pid.get(at.ppid)) {
    const service = roots.get(at.pid);
    if (service !== undefined) return service;
  }
  return null;
}

/** From /proc/pid/cgroup: the line of version 2 is `0::/tiers/reactive`. */
export function serviceOfCgroup(lines: string): string | null {
  const path = /^0::\/(\S*)$/m.exec(lines)?.[1];
  const [slice, service] = path?.split("/") ?? [];
  return slice !== undefined && service !== undefined && (slices as readonly string[]).includes(slice) ? service : null;
}

function uidOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return 0;
  }
}

function pssOf(pid: number): number | null {
  const found = /^Pss:\s+(\d+) kB$/m.exec(text(`/proc/${pid}/smaps_rollup`));
  return found === null ? null : Number(found[1]) * 1024;
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
