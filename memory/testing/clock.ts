/** A clock that stands until it is moved. */

import type { Clock } from "../clock.ts";
import { boot } from "./records.ts";

interface TestClock extends Clock {
  now_ms: number;
}

export function testClock(now_ms = 0): TestClock {
  return {
    boot,
    now_ms,
    boot_ms() {
      return this.now_ms;
    },
    time_ms() {
      return 1_700_000_000_000 + this.now_ms;
    },
  };
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A clock of which only the time of day counts. */
export function wallClock(time_ms: () => number): Clock {
  return { boot, boot_ms: () => performance.now(), time_ms };
}
