/** The clocks of calls, without a system call for each look. */

import type { System } from "../sys/system.ts";
import type { Clock } from "./context.ts";

/** A wall clock that moves against the monotonic one by more was set, or the machine slept. */
const drift_ms_max = 5;

/**
 * `boot_ms` goes on while the machine sleeps, which the clock of the runtime does not: how far they are apart is asked anew
 * whenever the wall clock has moved by itself (clock_gettime(2): CLOCK_BOOTTIME, CLOCK_MONOTONIC).
 */
export function brokerClock(
  sys: Pick<System, "clock">,
  wall_ms: () => number = Date.now,
  monotonic_ms: () => number = () => performance.now(),
): Clock {
  let apart_ms = Number.NaN;
  let wall_apart_ms = Number.NaN;
  return {
    now_ms: wall_ms,
    boot_ms() {
      const monotonic = monotonic_ms();
      const wall_apart = wall_ms() - monotonic;
      if (!(Math.abs(wall_apart - wall_apart_ms) <= drift_ms_max)) {
        apart_ms = sys.clock.nowMs("boottime") - monotonic;
        wall_apart_ms = wall_apart;
      }
      return monotonic + apart_ms;
    },
  };
}
