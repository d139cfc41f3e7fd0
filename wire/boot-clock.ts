/** The boot clock: it does not step when the wall clock is set. */

import { readFileSync } from "node:fs";

/** @returns CLOCK_BOOTTIME in milliseconds, anchored once at /proc/uptime (proc(5), 10 ms fine) */
export function openBootClock(): () => number {
  const anchor_ms = Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000 - performance.now();
  return () => anchor_ms + performance.now();
}
