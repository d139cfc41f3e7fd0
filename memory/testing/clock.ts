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

/** A clock of which only the time of day counts. */
export function wallClock(time_ms: () => number): Clock {
  return { boot, boot_ms: () => performance.now(), time_ms };
}
