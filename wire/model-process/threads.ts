/** How many threads may compute with a model. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Beyond these the memory bus is what is waited for, on the machines that this is for. */
const threads_max = 16;

/** How many threads compute: always, and while nobody else wants a processor. */
export interface Threads {
  readonly usual: number;
  readonly idle: number;
}

/**
 * llama.cpp's threads wait for each other by spinning, a few hundred times a token: one that has no processor of its own holds
 * up all. Measured on two cores with other work, two threads were ten to a hundred times slower than one. So one processor
 * stays free while anybody else works, and a cgroup's quota counts as that many processors, rounded down.
 * @param groups folders of the cgroups that limit the process
 */
export function threadsFor(groups: readonly string[], processors = availableParallelism()): Threads {
  const quota = Math.min(processors, ...groups.map(quotaOf));
  const most = Math.max(1, Math.min(threads_max, Math.floor(quota)));
  return { usual: Math.max(1, Math.min(most, processors - 1)), idle: most };
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

/** What the kernel says of its processors, and what this process took of them. */
export interface ProcessorTimes {
  /** Of all processors, ticks of 10 ms: all there were, and those in which one was idle (proc_stat(5)). */
  readonly all: number;
  readonly idle: number;
  /** Threads that run or want to, the one that asks among them (proc_loadavg(5)). */
  readonly running: number;
  /** Milliseconds of processor time of this process. */
  readonly own_ms: number;
}

const tick_ms = 10;
/** Ticks are coarse: over less than this they say nothing. */
const window_ms_min = 100;
/** Of one processor: more than this of others is work that would be in the way. */
const others_max = 0.3;

/** Who has just asked may not have gone to sleep yet. */
const moment_ms = 1;

/**
 * Whether anybody else works on this machine: at this moment, and over the time since it was last asked, when that was long enough
 * ago. Asked before each batch, so that work that begins meanwhile costs one slow batch.
 */
export class OthersAtWork {
  readonly #times: () => ProcessorTimes | null;
  #last: ProcessorTimes | null = null;
  #busy = true;

  constructor(times: () => ProcessorTimes | null = processorTimes) {
    this.#times = times;
  }

  /** True, too, as long as nothing is known. */
  async look(): Promise<boolean> {
    const now = this.#times();
    if (now === null) return true;
    const last = this.#last;
    if (last === null) {
      this.#last = now;
    } else {
      const all_ms = (now.all - last.all) * tick_ms;
      const span_ms = all_ms / availableParallelism();
      if (span_ms >= window_ms_min) {
        const others_ms = all_ms - (now.idle - last.idle) * tick_ms - (now.own_ms - last.own_ms);
        this.#busy = others_ms / span_ms > others_max;
        this.#last = now;
      }
    }
    if (this.#busy || now.running <= 1) return this.#busy;
    await Bun.sleep(moment_ms);
    return (this.#times()?.running ?? 2) > 1;
  }
}

/** @returns null where the kernel does not say */
export function processorTimes(): ProcessorTimes | null {
  try {
    const stat = readFileSync("/proc/stat", "utf8");
    const [, ...ticks] = stat.slice(0, stat.indexOf("\n")).split(/\s+/);
    const of = (at: number): number => Number(ticks[at] ?? 0);
    const running = /^\S+ \S+ \S+ (\d+)\//.exec(readFileSync("/proc/loadavg", "utf8"))?.[1];
    const { user, system } = process.cpuUsage();
    // guest time is in user time already; time stolen by a hypervisor is others'
    const all = [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, at) => sum + of(at), 0);
    return { all, idle: of(3) + of(4), running: Number(running ?? 2), own_ms: (user + system) / 1000 };
  } catch {
    return null;
  }
}
