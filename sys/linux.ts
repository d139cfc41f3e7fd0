/** The real system. */

import { clockCalls } from "./clock.ts";
import { openLibc } from "./libc.ts";
import { mountCalls } from "./mount.ts";
import { powerCalls } from "./power.ts";
import { processCalls } from "./process.ts";
import type { System } from "./system.ts";

/** @throws when ffi-rs cannot be loaded: without it nothing can be done */
export function linuxSystem(): System {
  const libc = openLibc();
  return {
    process: processCalls(libc),
    power: powerCalls(libc),
    mount: mountCalls(libc),
    clock: clockCalls(libc),
  };
}
