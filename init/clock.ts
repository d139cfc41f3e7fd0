/**
 * The boot clock (CLOCK_BOOTTIME) in milliseconds, from the first line of PID 1 on: read from /proc/uptime, which has
 * hundredths of a second, until the system calls are loaded and `refine` gives the exact offset.
 */

import { readFileSync } from "node:fs";

export class BootClock {
  #offset_ms: number;
  readonly #counter: () => number;

  /** @param counter milliseconds that only grow; @param uptime the text of /proc/uptime */
  constructor(counter: () => number = () => performance.now(), uptime: string = readFileSync("/proc/uptime", "utf8")) {
    this.#counter = counter;
    const up_s = Number(uptime.split(" ")[0]);
    this.#offset_ms = (Number.isFinite(up_s) ? up_s * 1000 : 0) - counter();
  }

  now(): number {
    return this.#counter() + this.#offset_ms;
  }

  /** Takes the kernel's own reading; the clock only moves forward by it, and by little. */
  refine(now_ms: number): void {
    this.#offset_ms = Math.max(this.#offset_ms, now_ms - this.#counter());
  }
}
