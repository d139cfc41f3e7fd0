/** Whether there is memory for the model, asked before it is loaded and while it is. */

import { readFileSync, statSync } from "node:fs";

const mib = 1024 * 1024;

/** What the process takes besides the model file: the runtime, llama.cpp, and the work space of its lanes. */
const process_bytes = 72 * mib;
/** What has to be left for all others once it is loaded. */
const spare_bytes = 48 * mib;
/** Below this it gives its memory back. */
const floor_bytes = 24 * mib;

/** The cgroup of the memory service, as its sandbox sees it (init/boot/cgroups.ts). */
const cgroup = "/sys/fs/cgroup/system/memory";

export interface MemoryRoom {
  readonly available_bytes: number;
  /** Whose figure that is. */
  readonly of: string;
}

/** The tighter of what the machine has left and what the service may still take. */
export function memoryRoom(meminfo = "/proc/meminfo", group = cgroup): MemoryRoom {
  const machine = { available_bytes: Number(/^MemAvailable:\s+(\d+) kB/m.exec(textOf(meminfo))?.[1] ?? 0) * 1024, of: "the machine" };
  const limit = Number.parseInt(textOf(`${group}/memory.max`), 10);
  if (!Number.isFinite(limit)) return machine;
  // what is only cached in it would be dropped
  const cached = [...textOf(`${group}/memory.stat`).matchAll(/^(?:in)?active_file (\d+)$/gm)].reduce((sum, one) => sum + Number(one[1]), 0);
  const own = { available_bytes: Math.max(0, limit - Number(textOf(`${group}/memory.current`)) + cached), of: "the memory service" };
  return own.available_bytes < machine.available_bytes ? own : machine;
}

/** @returns why the model may not be loaded, or null */
export function doesNotFit(path: string, room: MemoryRoom): string | null {
  let file_bytes: number;
  try {
    file_bytes = statSync(path).size;
  } catch {
    return `there is no model file "${path}"`;
  }
  const needed = file_bytes + process_bytes + spare_bytes;
  if (room.available_bytes >= needed) return null;
  return `the model needs ${megabytes(needed)} and ${room.of} has ${megabytes(room.available_bytes)} left; more memory, or less running, lets it load`;
}

/** @returns why a loaded model has to go, or null */
export function hasToGo(room: MemoryRoom): string | null {
  if (room.available_bytes >= floor_bytes) return null;
  return `the model was unloaded: ${room.of} has only ${megabytes(room.available_bytes)} left`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / mib)} MiB`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
