/** The cgroup v2 tree (Documentation/admin-guide/cgroup-v2.rst): four slices under the root, services one below. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { Limits, MachineConfig } from "../../contracts/config.ts";
import { readText, reasonOf } from "./files.ts";
import type { Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

export const cgroup_root = "/sys/fs/cgroup";

export const slices = ["init", "system", "tiers", "work"] as const;
export type Slice = (typeof slices)[number];

/** Where a service of this slice lives. PID 1 itself is in `init`. */
export function serviceCgroup(slice: Slice, service: string): string {
  return `${cgroup_root}/${slice}/${service}`;
}

/** Controllers that limits use. `io` only accounts until a device asks for more. */
const controllers = ["cpu", "memory", "pids", "io"];

interface SliceLimit {
  readonly slice: Slice;
  readonly file: string;
  /** Text for the file; a share of the memory is of MemTotal, rounded down to a page. */
  readonly value: string | { readonly memory_share: number };
  readonly why: string;
}

/** The limits that hold without a machine config. */
const slice_limits: readonly SliceLimit[] = [
  { slice: "init", file: "cpu.weight", value: "1000", why: "PID 1 has to turn, or the watchdog resets the machine" },
  { slice: "init", file: "memory.min", value: { memory_share: 0.15 }, why: "PID 1 is never paged out to disk while others ask for memory" },
  { slice: "init", file: "memory.swap.max", value: "0", why: "as above" },
  { slice: "system", file: "cpu.weight", value: "400", why: "the way to look in comes before what thinks" },
  { slice: "system", file: "memory.low", value: { memory_share: 0.2 }, why: "the console answers while a model fills the memory" },
  { slice: "system", file: "memory.swap.max", value: { memory_share: 0.25 }, why: "what leaks comes to its end all the same" },
  { slice: "system", file: "pids.max", value: "2048", why: "a fork bomb in a service stays in its slice" },
  { slice: "tiers", file: "cpu.weight", value: "100", why: "thinking may wait" },
  {
    slice: "tiers",
    file: "memory.high",
    value: { memory_share: 0.8 },
    why: "models are slowed down and reclaimed before the system starves",
  },
  { slice: "tiers", file: "memory.max", value: { memory_share: 0.9 }, why: "then the OOM killer ends a tier, not the console" },
  {
    slice: "tiers",
    file: "memory.swap.max",
    value: { memory_share: 0.25 },
    why: "a tier that leaks comes to its end all the same",
  },
  { slice: "tiers", file: "pids.max", value: "2048", why: "as above" },
  { slice: "work", file: "cpu.weight", value: "50", why: "what the AI starts comes last" },
  { slice: "work", file: "memory.high", value: { memory_share: 0.5 }, why: "and leaves half of the memory to the system" },
  { slice: "work", file: "memory.max", value: { memory_share: 0.6 }, why: "hard border a little above" },
  {
    slice: "work",
    file: "memory.swap.max",
    value: "0",
    why: "a service that may have so much memory has so much, and not more of it compressed",
  },
  { slice: "work", file: "pids.max", value: "4096", why: "builds start many processes, a fork bomb more" },
];

const page_bytes = 4096;

/** Makes the slices, turns the controllers on and sets the limits. @returns what this kernel does not offer, in words */
export function makeTree(root: string, memory_bytes: number, pid: number): string[] {
  const missing: string[] = [];
  for (const slice of slices) mkdirSync(`${root}/${slice}`, { recursive: true });
  // a cgroup that passes controllers down may hold no processes itself: PID 1 leaves the root first
  attempt(missing, `${root}/init/cgroup.procs`, String(pid));
  const offered = (readText(`${root}/cgroup.controllers`) ?? "").split(" ");
  const lacking = controllers.filter((name) => !offered.includes(name));
  if (lacking.length > 0) missing.push(`no controller ${lacking.join(", ")}`);
  for (const folder of ["", ...slices.filter((slice) => slice !== "init").map((slice) => `/${slice}`)]) {
    for (const name of controllers) {
      if (offered.includes(name)) attempt(missing, `${root}${folder}/cgroup.subtree_control`, `+${name}`);
    }
  }
  for (const { slice, file, value } of slice_limits) {
    const path = `${root}/${slice}/${file}`;
    if (!existsSync(path)) continue; // its controller is named above
    attempt(missing, path, typeof value === "string" ? value : String(shareOf(memory_bytes, value.memory_share)));
  }
  return missing;
}

/** Sets what the machine config says of a slice over the table. @returns what could not be set */
export function applySliceLimits(root: string, config: MachineConfig["limits"]): string[] {
  const missing: string[] = [];
  for (const slice of ["system", "tiers", "work"] as const) {
    for (const [file, value] of limitValues(config[slice])) {
      const path = `${root}/${slice}/${file}`;
      if (existsSync(path)) attempt(missing, path, String(value));
      else missing.push(`limits.${slice}: this kernel has no ${file}`);
    }
  }
  return missing;
}

function limitValues(limits: Limits): [file: string, value: number][] {
  const all: [string, number | undefined][] = [
    ["cpu.weight", limits.cpu_weight],
    ["memory.high", limits.memory_high_bytes],
    ["memory.max", limits.memory_max_bytes],
    ["pids.max", limits.pids_max],
  ];
  return all.flatMap(([file, value]) => (value === undefined ? [] : [[file, value]]));
}

function shareOf(memory_bytes: number, share: number): number {
  return Math.floor((memory_bytes * share) / page_bytes) * page_bytes;
}

function attempt(missing: string[], path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    missing.push(reasonOf(error));
  }
}

/** Bytes of MemTotal (proc(5)); 0 when unknown. */
export function memoryBytes(meminfo: string): number {
  return Number(/^MemTotal:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * 1024;
}

export const cgroupTree: Phase = {
  name: "cgroup tree",
  what: "Slices with limits, so that no service can take the machine from the others",
  modes: "both",
  limit_ms: 1000,
  run: async () => {
    if (!existsSync(`${cgroup_root}/cgroup.procs`))
      return degraded("resource limits", `there is no cgroup v2 tree at "${cgroup_root}"`, "use a kernel with CONFIG_CGROUPS");
    const missing = makeTree(cgroup_root, memoryBytes(readText("/proc/meminfo") ?? ""), process.pid);
    if (missing.length === 0) return done(`${slices.join(", ")} with limits`);
    return degraded(
      "resource limits",
      `services run with weaker limits: ${missing.join("; ")}`,
      "use a kernel whose cgroup v2 tree has cpu, memory, pids and io",
    );
  },
};

export const configuredLimits: Phase = {
  name: "configured limits",
  what: "The limits of slices that the machine config asks for",
  modes: "both",
  limit_ms: 1000,
  run: async (boot) => {
    const missing = applySliceLimits(cgroup_root, boot.state.config.limits);
    if (missing.length === 0) return done("set");
    return degraded("configured limits", missing.join("; "), 'change "limits" in aios.yaml to what this machine can do');
  },
};
