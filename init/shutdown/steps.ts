/**
 * The way down, in order. Each step has a limit; one that fails or is late is recorded, and the next one runs: a shutdown
 * that does not end is worse than one that leaves something behind.
 */

import { readFileSync } from "node:fs";
import type { System } from "../../sys/system.ts";
import { type Mounted, parseMountInfo, parseSwaps, toTakeDown } from "./mounts.ts";
import { endProcesses } from "./processes.ts";
import { stopInOrder } from "./services.ts";

export interface WayDown {
  readonly sys: System;
  readonly mode: "machine" | "container";
  readonly services: {
    stop(name: string, cause: string): Promise<void>;
    stopOrder(): readonly string[];
    after(name: string): readonly string[];
  };
  /** What was registered with `onShutdown`. */
  readonly works: readonly { readonly what: string; readonly work: () => void | Promise<void> }[];
  log(message: string): void;
  /** False while a sync is on its way: what would touch the disks would then wait with it. */
  disks_answer: boolean;
}

export interface Step {
  readonly name: string;
  readonly what: string;
  readonly modes: "both" | "machine";
  readonly limit_ms: number;
  /** @returns what was done, in one line */
  run(way: WayDown): Promise<string>;
}

export const steps: readonly Step[] = [
  {
    name: "services",
    what: "Stop the services, those that others come after last; the console stays for now",
    modes: "both",
    limit_ms: 25_000,
    run: async ({ services }) => stopInOrder(services, (name) => name !== "console"),
  },
  {
    name: "console",
    what: "Stop the console: from here on only the serial line tells",
    modes: "both",
    limit_ms: 12_000,
    run: async ({ services }) => stopInOrder(services, () => true),
  },
  {
    name: "processes",
    what: "End all processes that are left",
    modes: "both",
    limit_ms: 6_000,
    run: (way) => endProcesses(way.sys),
  },
  {
    name: "sync",
    what: "Write what is in memory to the disks, while it can still be waited for",
    modes: "machine",
    limit_ms: 15_000,
    run: async (way) => syncMounted(way),
  },
  {
    name: "devices",
    what: "Write down what the next boot needs: the seed, the clock",
    modes: "both",
    limit_ms: 5_000,
    run: async ({ works, log, disks_answer }) => {
      if (!disks_answer) return not_answering; // to write would hold up all of PID 1, its guard too
      let failed = 0;
      for (const { what, work } of works) {
        try {
          await work();
        } catch (error) {
          failed += 1;
          log(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      return `${works.length - failed} of ${works.length} done`;
    },
  },
  {
    name: "swap",
    what: "Take swap areas out of use",
    modes: "machine", // a container sees the host's
    limit_ms: 10_000,
    run: async (way) => (way.disks_answer ? await swapOff(way) : not_answering),
  },
  {
    name: "file systems",
    what: "Unmount what holds data, the last mounted first; what is in use is made read-only",
    modes: "both",
    limit_ms: 10_000,
    run: async (way) => takeDown(way),
  },
];

const not_answering = "left as they are: the disks do not answer";

/** Of disks from which nothing is mounted, one may stall: those are not waited for, as sync(2) would. @param mounted what holds data */
export async function syncMounted(way: Pick<WayDown, "sys" | "log" | "disks_answer">, mounted = readMounted): Promise<string> {
  way.disks_answer = false;
  const all = mounted();
  const write = async ({ target }: Mounted): Promise<void> => {
    try {
      await way.sys.mount.syncAside(target);
    } catch (error) {
      way.log(error instanceof Error ? error.message : String(error)); // an answer, too
    }
  };
  await Promise.all(all.map(write));
  way.disks_answer = true;
  return `${all.length} file systems written`;
}

function readMounted(): Mounted[] {
  return toTakeDown(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")));
}

/** @param swaps reads /proc/swaps (proc(5)) */
export async function swapOff({ sys, log }: Pick<WayDown, "sys" | "log">, swaps = readSwaps): Promise<string> {
  const before = swaps();
  for (const path of before) await sys.mount.swapOffAside(path);
  const left = swaps();
  for (const path of left) log(`swapoff "${path}" failed: what lies in it may not fit into memory`);
  return `${before.length - left.length} areas out of use, ${left.length} in use`;
}

function readSwaps(): string[] {
  return parseSwaps(readFileSync("/proc/swaps", "utf8"));
}

async function takeDown({ sys, mode, log, disks_answer }: WayDown): Promise<string> {
  if (!disks_answer) return not_answering;
  const mounted = readMounted();
  let left = 0;
  for (const { target, type } of mounted) {
    try {
      sys.mount.unmount(target);
      continue;
    } catch (error) {
      log(`${error instanceof Error ? error.message : String(error)}`);
    }
    left += 1;
    // in a container the file system below is the host's: to make it read-only would be so for the host too
    if (mode === "machine") attempt(() => sys.mount.mount({ source: "none", target, type, flags: ["remount", "ro"] }), log);
    attempt(() => sys.mount.unmount(target, ["detach"]), log);
  }
  return `${mounted.length - left} unmounted, ${left} in use`;
}

function attempt(work: () => void, log: (message: string) => void): void {
  try {
    work();
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
  }
}
