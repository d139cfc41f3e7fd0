/**
 * Processes that lost their parent become children of PID 1, and stay zombies until PID 1 collects them. The runtime
 * collects only what it started itself, and a wait for any child would steal the exit statuses it waits for. So the dead
 * are looked at first (waitid with WNOWAIT) and collected one by one when they are not the runtime's.
 *
 * A dead child of the runtime may stand first in that look and hide the orphans behind it until the runtime has collected
 * it. Then /proc is read for the others.
 */

import type { ProcessCalls } from "../../sys/process.ts";
import { allStats } from "../../sys/procfs.ts";

/** Orphans collected at one wake-up; the rest waits for the next turn of the loop. */
const collect_max = 512;
/** Looks at /proc are this far apart at least: with thousands of processes they are not cheap. */
const scan_interval_ms = 200;
/**
 * Ends that are told within this time after the last look are looked at together: to wake up for every one of thousands
 * costs more than to collect it, and takes the processor from those who make them.
 */
const together_ms = 5;

export interface Reaper {
  /** The runtime waits for this one: it is left alone until it has ended. */
  own(pid: number): void;
  disown(pid: number): void;
  /** Collects what is there. Never throws. */
  reap(): void;
  /** Somebody has ended: collects at once, in a storm a few milliseconds later. Never throws. */
  ended(): void;
  readonly collected: number;
  stop(): void;
}

interface ReaperOptions {
  readonly process: Pick<ProcessCalls, "peekDead" | "collect">;
  readonly now: () => number;
  /** Zombies that are children of PID 1. */
  readonly zombies?: () => number[];
  readonly onError: (error: unknown) => void;
}

export function orphanReaper(options: ReaperOptions): Reaper {
  const { process: calls, now, onError, zombies = zombieChildren } = options;
  const owned = new Set<number>();
  let collected = 0;
  let scanned_at = Number.NEGATIVE_INFINITY;
  let again: ReturnType<typeof setTimeout> | null = null;

  const later = (wait_ms: number): void => {
    again ??= setTimeout(() => {
      again = null;
      reap();
    }, wait_ms);
  };
  const collect = (pid: number): void => {
    if (calls.collect(pid) !== null) collected += 1;
  };
  const collectBehind = (): void => {
    if (now() - scanned_at < scan_interval_ms) {
      later(scan_interval_ms);
      return;
    }
    scanned_at = now();
    for (const pid of zombies()) if (!owned.has(pid)) collect(pid);
  };
  const reap = (): void => {
    try {
      for (let count = 0; count < collect_max; count += 1) {
        const pid = calls.peekDead();
        if (pid === null) return;
        if (owned.has(pid)) {
          hidden === pid ? collectBehind() : lookOnce(pid);
          return;
        }
        collect(pid);
      }
      later(0);
    } catch (error) {
      onError(error);
    }
  };
  // The runtime usually collects its own within the same turn of the loop; only one that stays first hides others.
  let hidden: number | null = null;
  const lookOnce = (pid: number): void => {
    hidden = pid;
    later(2);
  };
  let looked_at = Number.NEGATIVE_INFINITY;
  let looking: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    looking = null;
    looked_at = now();
    reap();
  };
  return {
    ended() {
      if (looking !== null) return;
      const wait_ms = looked_at + together_ms - now();
      if (wait_ms <= 0) look();
      else looking = setTimeout(look, wait_ms);
    },
    own: (pid) => void owned.add(pid),
    disown: (pid) => void owned.delete(pid),
    reap,
    get collected() {
      return collected;
    },
    stop() {
      for (const timer of [again, looking]) if (timer !== null) clearTimeout(timer);
    },
  };
}

function zombieChildren(): number[] {
  return allStats()
    .filter((stat) => stat.ppid === process.pid && stat.state === "Z")
    .map((stat) => stat.pid);
}
