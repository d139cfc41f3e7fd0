/** Memory: /proc/meminfo and PSI (proc(5), Documentation/accounting/psi.rst), told when the situation changes. */

import type { Facts } from "../../../contracts/event.ts";
import { readText } from "./read-text.ts";

export type MemorySample = Facts<"memory.pressure">;

/** Level 0 is calm; each further bound that is passed is one more. */
const pressure_bounds = [5, 20, 40] as const;
const available_bounds_bytes = [64e6, 24e6, 12e6] as const;
/** Samples that must be calmer in a row before the lower level counts. */
const calmer_samples = 5;
/** While the level is above 0, it is told again after this. */
const again_ms = 30_000;

export class MemorySensor {
  #level = 0;
  #calmer = 0;
  #told_ms = 0;

  /** @returns the level when the sample is to be told, or null */
  take(sample: MemorySample, now_ms: number): number | null {
    const level = levelOf(sample);
    this.#calmer = level < this.#level ? this.#calmer + 1 : 0;
    const changed = level > this.#level || this.#calmer >= calmer_samples;
    if (!changed && (this.#level === 0 || now_ms - this.#told_ms < again_ms)) return null;
    if (changed) this.#level = level;
    this.#calmer = 0;
    this.#told_ms = now_ms;
    return this.#level;
  }
}

function levelOf({ some_avg10, available_bytes }: MemorySample): number {
  const pressure = pressure_bounds.filter((bound) => some_avg10 >= bound).length;
  const scarcity = available_bounds_bytes.filter((bound) => available_bytes <= bound).length;
  return Math.max(pressure, scarcity);
}

/** @returns null when this kernel does not say */
export function readMemory(proc = "/proc"): MemorySample | null {
  const available_kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readText(`${proc}/meminfo`))?.[1];
  if (available_kib === undefined) return null;
  const pressure = readText(`${proc}/pressure/memory`);
  const average = (line: "some" | "full"): number => Number(new RegExp(`^${line} avg10=([0-9.]+)`, "m").exec(pressure)?.[1] ?? 0);
  return { some_avg10: average("some"), full_avg10: average("full"), available_bytes: Number(available_kib) * 1024 };
}
