/** How many threads may compute with a model. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Beyond these the memory bus is what is waited for, on the machines that this is for. */
const threads_max = 16;

/**
 * llama.cpp's threads wait for each other by spinning, a few hundred times a token: one that has no processor of its own holds
 * up all. Measured on two cores with other work, two threads were ten to a hundred times slower than one. So one processor
 * stays free, always, and a cgroup's quota counts as that many processors, rounded down.
 * @param groups folders of the cgroups that limit the process
 */
export function threadsFor(groups: readonly string[], processors = availableParallelism()): number {
  const quota = Math.min(processors, ...groups.map(quotaOf));
  return Math.max(1, Math.min(threads_max, Math.floor(quota), processors - 1));
}

/** Processors that `cpu.max` allows (cgroup-v2.rst: `QUOTA PERIOD` in microseconds, or `max PERIOD`). */
function quotaOf(folder: string): number {
  let text: string;
  try {
    text = readFileSync(`${folder}/cpu.max`, "utf8");
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const [, quota, period] = /^(\d+) (\d+)/.exec(text) ?? [];
  return quota === undefined || period === undefined ? Number.POSITIVE_INFINITY : Number(quota) / Number(period);
}
