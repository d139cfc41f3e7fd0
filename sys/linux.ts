/** The real system. */

import { clockCalls } from "./clock.ts";
import { datagramCalls } from "./datagram.ts";
import { descriptorCalls } from "./descriptor.ts";
import { deviceCalls } from "./device.ts";
import { entropyCalls } from "./entropy.ts";
import { fileCalls } from "./file/calls.ts";
import { hostCalls } from "./host.ts";
import { inotifyCalls } from "./inotify.ts";
import { openLibc } from "./libc.ts";
import { mountCalls } from "./mount.ts";
import { netlinkCalls } from "./netlink/calls.ts";
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
    entropy: entropyCalls(libc),
    host: hostCalls(libc),
    device: deviceCalls(libc),
    descriptor: descriptorCalls(libc),
    datagram: datagramCalls(libc),
    file: fileCalls(libc),
    inotify: inotifyCalls(libc),
    netlink: netlinkCalls(libc),
  };
}
