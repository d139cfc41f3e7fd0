/** The cgroup of one start below `work/tools`, where there are cgroups: made before, read and taken away after. */

import { readdirSync } from "node:fs";
import { cgroupNumber, cgroupPids, killCgroup, makeCgroup, passControllers, removeCgroup } from "../../sys/cgroup.ts";
import type { Command } from "./exec.ts";

/** Cgroups of processes that are being ended stay busy for a moment. */
const leave_limit_ms = 1000;
const leave_interval_ms = 5;

const mib = 1024 * 1024;
const defaults = { memory_max_bytes: 512 * mib, pids_max: 256 };

/** @returns its path, or null where there are no cgroups */
export function makeCell(parent: string | null, name: string, limits: Command["limits"]): string | null {
  if (parent === null || makeCgroup(parent, null) === null) return null;
  passControllers(parent);
  const { cpu_weight, memory_max_bytes = defaults.memory_max_bytes, pids_max = defaults.pids_max } = limits ?? {};
  return (
    makeCgroup(`${parent}/${name}`, { memory_max_bytes, pids_max, ...(cpu_weight === undefined ? {} : { cpu_weight }) }, { swap: false })
      ?.path ?? null
  );
}

/** What all in it used so far. */
export function cellUse(cell: string): { readonly cpu_ms: number | null; readonly memory_peak_bytes: number | null } {
  const cpu_us = cgroupNumber(cell, "cpu.stat", "usage_usec");
  return { cpu_ms: cpu_us === null ? null : cpu_us / 1000, memory_peak_bytes: cgroupNumber(cell, "memory.peak") };
}

/** Ends whatever is left in it, and takes it away. Never throws. */
export async function leaveCell(cell: string): Promise<void> {
  for (let waited_ms = 0; waited_ms < leave_limit_ms; waited_ms += leave_interval_ms) {
    if (cgroupPids(cell).length > 0) killCgroup(cell);
    if (removeCgroup(cell)) return;
    await Bun.sleep(leave_interval_ms);
  }
}

/** At the broker's start: what an earlier broker's calls left behind ends; `kept` goes on. @returns how many ended */
export async function sweepCells(parent: string | null, kept: ReadonlySet<string>): Promise<number> {
  const left =
    parent === null
      ? []
      : entries(parent)
          .map((name) => `${parent}/${name}`)
          .filter((path) => !kept.has(path));
  await Promise.all(left.map(leaveCell));
  return left.length;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
