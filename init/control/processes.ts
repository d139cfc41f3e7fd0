/**
 * All processes, with the services that they belong to. The live view asks every second, and reading them is the most
 * that PID 1 ever does (smaps_rollup walks the page tables of each): so askers share an answer, and what seldom changes
 * is looked at again only after a while.
 */

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
const cmdline_bytes_max = { few: 500, many: 100 } as const;
/** Each of them is six bytes in JSON. */
const unprintable = /[\p{Cc}\p{Cs}]/gu;

/** Who asks within this time of the last answer gets that one. */
const answer_kept_ms = 500;
/** A process's details are kept for half of this up to all of it, by pid, so that they are not all read at once. */
const details_kept_ms_max = 10_000;

/** What is kept of a process between two looks. */
interface Details {
  /** With the pid, these name one program that runs: the name changes with exec. */
  readonly started: number;
  readonly name: string;
  readonly until_ms: number;
  readonly uid: number;
  /** By cgroup alone. */
  readonly service: string | null;
  readonly cmdline: string;
  readonly pss_bytes: number | null;
}

interface ProcessListOptions {
  readonly supervisor: Pick<Supervisor, "handles">;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Replaced in tests. @returns the file's text, "" when it cannot be read */
  readonly read?: (path: string) => string;
}

export class ProcessList {
  readonly #options: ProcessListOptions;
  readonly #read: (path: string) => string;
  #details = new Map<number, Details>();
  #answer: { readonly at_ms: number; readonly processes: ProcessInfo[] } | null = null;

  constructor(options: ProcessListOptions) {
    this.#options = options;
    this.#read = options.read ?? text;
  }

  /** At most 600. PSS, command line, uid and cgroup may be up to ten seconds old. */
  list(): ProcessInfo[] {
    const now = this.#options.now();
    if (this.#answer === null || now - this.#answer.at_ms >= answer_kept_ms) this.#answer = { at_ms: now, processes: this.#look(now) };
    return this.#answer.processes;
  }

  #look(now: number): ProcessInfo[] {
    const stats = allStats();
    const by_pid = new Map(stats.map((stat) => [stat.pid, stat]));
    const roots = this.#options.supervisor.handles();
    const cmdline_max = cmdline_bytes_max[stats.length > many ? "many" : "few"];
    const known = this.#details;
    this.#details = new Map();
    return stats.slice(0, processes_max).map((stat) => {
      const details = isKernelThread(stat) ? kernel_thread : this.#detailsOf(stat, known.get(stat.pid), now);
      return {
        pid: stat.pid,
        ppid: stat.ppid,
        uid: details.uid,
        state: stat.state.slice(0, 1),
        service: serviceOf(stat, details.service, by_pid, roots),
        name: stat.name.replace(unprintable, "?").slice(0, name_chars_max),
        untrusted_cmdline: cut(details.cmdline, cmdline_max),
        threads: stat.threads,
        rss_bytes: stat.rss_pages * page_bytes,
        pss_bytes: details.pss_bytes,
        cpu_ms: stat.ticks * tick_ms,
      };
    });
  }

  #detailsOf(stat: Stat, known: Details | undefined, now: number): Details {
    const same = known !== undefined && known.started === stat.started && known.name === stat.name && now < known.until_ms;
    const details = same ? known : this.#readDetails(stat, now);
    this.#details.set(stat.pid, details);
    return details;
  }

  #readDetails({ pid, started, name }: Stat, now: number): Details {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(this.#read(`/proc/${pid}/smaps_rollup`));
    return {
      started,
      name,
      until_ms: now + (details_kept_ms_max / 2) * (1 + (pid % 8) / 8),
      uid: uidOf(pid),
      service: serviceOfCgroup(this.#read(`/proc/${pid}/cgroup`)),
      cmdline: cut(this.#read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim().replace(unprintable, "?"), cmdline_bytes_max.few),
      pss_bytes: pss === null ? null : Number(pss[1]) * 1024,
    };
  }
}

/** No longer than so many bytes; a character is left whole. */
function cut(text: string, bytes_max: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytes_max) return text;
  let end = bytes_max;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** It has no memory, command line or cgroup of its own that could be read. */
function isKernelThread(stat: Stat): boolean {
  return stat.virtual_bytes === 0 && stat.state !== "Z";
}
const kernel_thread = { uid: 0, service: null, cmdline: "", pss_bytes: null } as const;

/** By cgroup, else by descent from the service's process. PID 1 is the service "init". */
function serviceOf(
  stat: Stat,
  by_cgroup: string | null,
  by_pid: ReadonlyMap<number, Stat>,
  roots: ReadonlyMap<number, string>,
): string | null {
  if (stat.pid === 1) return "init";
  if (by_cgroup !== null) return by_cgroup;
  for (let at: Stat | undefined = stat; at !== undefined && at.pid !== 1; at = by_pid.get(at.ppid)) {
    const service = roots.get(at.pid);
    if (service !== undefined) return service;
  }
  return null;
}

/** From /proc/pid/cgroup: the line of version 2 is `0::/tiers/reactive`. */
function serviceOfCgroup(lines: string): string | null {
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

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
