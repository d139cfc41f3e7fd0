/** The boot clock, and ids that do not repeat when the process is started again within one boot. */

import { readFileSync } from "node:fs";
import { shortBootId } from "../../contracts/boot-id.ts";

/** @returns CLOCK_BOOTTIME in milliseconds, anchored once at /proc/uptime (proc(5), 10 ms fine) */
export function openBootClock(): () => number {
  const anchor_ms = Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000 - performance.now();
  return () => anchor_ms + performance.now();
}

export class Ids {
  readonly #boot: string;
  #next: number;

  /** @param boot_ms the boot clock now: counting from its microseconds, a later start in the same boot begins higher */
  constructor(boot_id: string, boot_ms: number) {
    this.#boot = shortBootId(boot_id);
    this.#next = Math.floor(boot_ms * 1000);
  }

  event(): string {
    return `${this.#boot}-reactive-${this.#next++}`;
  }

  decision(): string {
    return `${this.#boot}-d-reactive-${this.#next++}`;
  }
}
