/** Whether there is memory for a model, asked before it is loaded and while it is. */

import { readFileSync, statSync } from "node:fs";

const mib = 1024 * 1024;

/** What has to be left for all others once it is loaded. */
const spare_bytes = 48 * mib;
/** Below this it gives its memory back. */
const floor_bytes = 24 * mib;

export interface MemoryRoom {
  readonly available_bytes: number;
  /** Whose figure that is. */
  readonly of: string;
}

/** A cgroup that limits the process, as its sandbox sees it (init/boot/cgroups.ts), and its name for people. */
interface MemoryGroup {
  readonly folder: string;
  readonly of: string;
}

/**
 * The tightest of what the machine has left, half of all that it has (a model that is loaded early in the boot must not take
 * what services that start later need), and what each of the groups may still take.
 */
export function memoryRoom(groups: readonly MemoryGroup[], meminfo = "/proc/meminfo"): MemoryRoom {
  const text = textOf(meminfo);
  const bytes = (key: string): number | null => {
    const kib = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  };
  const available_bytes = bytes("MemAvailable") ?? 0;
  const half_bytes = (bytes("MemTotal") ?? Number.POSITIVE_INFINITY) / 2;
  const machine =
    half_bytes < available_bytes
      ? { available_bytes: half_bytes, of: "the machine, half of which is for others," }
      : { available_bytes, of: "the machine" };
  const rooms = groups.map(groupRoom).filter((room) => room !== null);
  return rooms.reduce((least, room) => (room.available_bytes < least.available_bytes ? room : least), machine);
}

/** Above `memory.high` the kernel slows it down and reclaims, which for a model means reading its file again and again. */
function groupRoom({ folder, of }: MemoryGroup): MemoryRoom | null {
  const limits = ["memory.max", "memory.high"].map((file) => Number.parseInt(textOf(`${folder}/${file}`), 10)).filter(Number.isFinite);
  if (limits.length === 0) return null;
  // what is only cached in it would be dropped
  const cached = [...textOf(`${folder}/memory.stat`).matchAll(/^(?:in)?active_file (\d+)$/gm)].reduce(
    (sum, one) => sum + Number(one[1]),
    0,
  );
  const used = Number(textOf(`${folder}/memory.current`));
  return { available_bytes: Math.max(0, Math.min(...limits) - used + cached), of };
}

/** @param working_bytes what the process takes besides the file @returns why the model may not be loaded, or null */
export function doesNotFit(path: string, working_bytes: number, room: MemoryRoom): string | null {
  let file_bytes: number;
  try {
    file_bytes = statSync(path).size;
  } catch {
    return `there is no model file "${path}"`;
  }
  const needed = file_bytes + working_bytes + spare_bytes;
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
