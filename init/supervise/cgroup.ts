/**
 * One cgroup a service (cgroup v2). What the running kernel does not offer is left out: in a container there are often
 * no controllers, and sometimes no tree at all.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import type { Limits } from "../../contracts/config.ts";
import { cgroup_root, type Slice, serviceCgroup } from "../boot/cgroups.ts";

/** Files of a cgroup and their texts. */
export function limitFiles(limits: Limits): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  if (limits.cpu_weight !== undefined) files.set("cpu.weight", String(limits.cpu_weight));
  if (limits.memory_high_bytes !== undefined) files.set("memory.high", String(limits.memory_high_bytes));
  if (limits.memory_max_bytes !== undefined) files.set("memory.max", String(limits.memory_max_bytes));
  if (limits.pids_max !== undefined) files.set("pids.max", String(limits.pids_max));
  files.set("memory.oom.group", "1"); // a service that lost one process to the OOM killer is better begun anew
  return files;
}

/** @returns its path and the limits that could not be set, or null where there are no cgroups */
export function makeCgroup(
  slice: Slice,
  name: string,
  limits: Limits,
): { readonly path: string; readonly missing: readonly string[] } | null {
  if (!existsSync(`${cgroup_root}/cgroup.procs`)) return null;
  const path = serviceCgroup(slice, name);
  const missing: string[] = [];
  try {
    mkdirSync(path, { recursive: true });
  } catch {
    return null;
  }
  for (const [file, text] of limitFiles(limits)) {
    try {
      if (existsSync(`${path}/${file}`)) writeFileSync(`${path}/${file}`, text);
      else missing.push(file);
    } catch {
      missing.push(file);
    }
  }
  return { path, missing };
}

/** Ends everything in it at once. @returns false when that cannot be done here */
export function killCgroup(path: string): boolean {
  try {
    if (!existsSync(`${path}/cgroup.kill`)) return false;
    writeFileSync(`${path}/cgroup.kill`, "1");
    return true;
  } catch {
    return false;
  }
}

export function cgroupPids(path: string): number[] {
  try {
    return readFileSync(`${path}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Takes an empty one away; one that is in use stays. */
export function removeCgroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // still in use, or gone: either is all right
  }
}
