/** Processes of a container as the host sees them (proc(5): NSpid, ppid). */

import { readdirSync, readFileSync } from "node:fs";

export interface HostProcess {
  readonly pid: number;
  readonly ppid: number;
  /** Its pids from the host's namespace down to its own. */
  readonly pids: readonly number[];
  /** One letter: R S D T Z … */
  readonly state: string;
  readonly name: string;
}

/** The fields of /proc/PID/status, or null when the process is gone. */
export function processStatus(pid: number): ReadonlyMap<string, string> | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return new Map(
      text
        .split("\n")
        .filter((line) => line.includes(":"))
        .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
    );
  } catch {
    return null;
  }
}

function readProcess(pid: number): HostProcess | null {
  const status = processStatus(pid);
  if (status === null) return null;
  return {
    pid,
    ppid: Number(status.get("PPid")),
    pids: (status.get("NSpid") ?? "").split(/\s+/).map(Number),
    state: (status.get("State") ?? "?").slice(0, 1),
    name: status.get("Name") ?? "",
  };
}

export function allProcesses(): HostProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== null);
}

/** `top`, then all that descends from it: pids begin anew at their limit, so a child may have a smaller one. */
export function descendants(top: number): HostProcess[] {
  const all = allProcesses();
  const inside = new Set([top]);
  let grown = true;
  while (grown) {
    grown = false;
    for (const found of all) {
      if (inside.has(found.ppid) && !inside.has(found.pid)) {
        inside.add(found.pid);
        grown = true;
      }
    }
  }
  return all.filter((found) => inside.has(found.pid)).sort((a, b) => Number(b.pid === top) - Number(a.pid === top));
}
