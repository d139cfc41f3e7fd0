/**
 * One cgroup (v2, Documentation/admin-guide/cgroup-v2.rst): limits, members, the end of all of them. What the running kernel
 * does not offer is left out: in a container there are often no controllers, and sometimes no tree at all.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Limits } from "../contracts/config.ts";

interface Bounds {
  /** Whether the OOM killer ends all its processes when it ends one. */
  readonly oom_ends?: "all" | "one";
  /** Whether what it has not touched for long may go to swap, beside what it may have in memory. */
  readonly swap?: boolean;
}

interface LimitFile {
  readonly file: string;
  readonly text: string;
  /** What it has where nobody asks for anything: it is no loss where the kernel does not offer it. */
  readonly is_default: boolean;
}

/** Files of a cgroup and their texts: all of them, for a limit that was taken out of a definition holds until it is written over. */
function limitFiles(limits: Limits, { oom_ends = "all", swap = true }: Bounds): readonly LimitFile[] {
  const one = (file: string, wanted: number | undefined, otherwise: string): LimitFile => ({
    ...{ file, text: wanted === undefined ? otherwise : String(wanted), is_default: wanted === undefined },
  });
  return [
    one("cpu.weight", limits.cpu_weight, "100"),
    one("memory.high", limits.memory_high_bytes, "max"),
    one("memory.max", limits.memory_max_bytes, "max"),
    one("pids.max", limits.pids_max, "max"),
    one("memory.swap.max", swap ? undefined : 0, "max"),
    // one that lost one process to the OOM killer is better begun anew, unless it was made to go on without
    one("memory.oom.group", oom_ends === "all" ? 1 : 0, "0"),
  ];
}

/** @param limits null: none, not even that an OOM kill ends all of it. @returns its path and the limits that could not be set, or null where there are no cgroups */
export function makeCgroup(
  path: string,
  limits: Limits | null,
  bounds: Bounds = {},
): { readonly path: string; readonly missing: readonly string[] } | null {
  const missing: string[] = [];
  if (!existsSync(`${nearestFolder(path)}/cgroup.procs`)) return null; // a plain folder would be made
  try {
    mkdirSync(path, { recursive: true });
  } catch {
    return null;
  }
  for (const { file, text, is_default } of limits === null ? [] : limitFiles(limits, bounds)) {
    try {
      if (existsSync(`${path}/${file}`)) writeFileSync(`${path}/${file}`, text);
      else if (!is_default) missing.push(file);
    } catch {
      if (!is_default) missing.push(file);
    }
  }
  return { path, missing };
}

function nearestFolder(path: string): string {
  return path === "/" || existsSync(path) ? path : nearestFolder(dirname(path));
}

/** Passes the controllers that a cgroup has down to those below it. It must hold no process itself. */
export function passControllers(path: string): void {
  for (const controller of (readText(`${path}/cgroup.controllers`) ?? "").split(/\s+/).filter(Boolean)) {
    try {
      writeFileSync(`${path}/cgroup.subtree_control`, `+${controller}`);
    } catch {
      // limits of this kind are not there then; whoever sets one finds out
    }
  }
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

/**
 * Whether a process of it or below it lives: one that is ending counts until its files, sockets and memory are given back, though
 * `cgroup.procs` does not list it any more (cgroup.events, `populated`).
 */
export function isPopulated(path: string): boolean {
  return /^populated 1$/m.test(readText(`${path}/cgroup.events`) ?? "");
}

export function cgroupPids(path: string): number[] {
  return (readText(`${path}/cgroup.procs`) ?? "").split("\n").filter(Boolean).map(Number);
}

/** Takes an empty one away; one that is in use stays. @returns whether it is gone */
export function removeCgroup(path: string): boolean {
  try {
    rmdirSync(path);
  } catch {
    // still in use, or gone: either is all right
  }
  return !existsSync(path);
}

/** One number of one of its files: `cgroupNumber(path, "cpu.stat", "usage_usec")`; null where it is not kept or "max". */
export function cgroupNumber(path: string, file: string, key?: string): number | null {
  const text = readText(`${path}/${file}`);
  if (text === null) return null;
  const found = key === undefined ? text.trim() : new RegExp(`^${key} (\\S+)$`, "m").exec(text)?.[1];
  return found === undefined || !/^[0-9]+$/.test(found) ? null : Number(found);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
