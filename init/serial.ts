/**
 * Plain lines on the console that PID 1 was started with (the serial line, or a pipe of a harness). Opened anew and
 * non-blocking: a console that nobody reads must not stop PID 1. What does not fit is lost.
 */

import { constants, openSync, writeSync } from "node:fs";

const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
/** A short line that does not fit is tried again this often before it is given up. */
const tries_max = 3;

let descriptor: number | null = null;

function open(): number {
  try {
    return openSync("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY);
  } catch {
    return 2; // a socket cannot be opened anew
  }
}

/** Never throws. */
export function say(line: string): void {
  descriptor ??= open();
  let left = Buffer.from(`${line}\n`);
  for (let tries = 0; tries < tries_max && left.length > 0; tries += 1) {
    try {
      left = left.subarray(writeSync(descriptor, left));
    } catch {
      // full, or gone
    }
  }
}
