/**
 * Wakes a callback when a descriptor becomes readable, while the caller does the reading: datagrams keep their borders.
 *
 * The kernel sends SIGIO to the process (fcntl(2): O_ASYNC, F_SETOWN) and the runtime turns it into an event. The signal
 * does not say which descriptor it is about, and several may become one, so each SIGIO wakes every callback. A sweep once
 * a second makes up for a signal that was lost. Works for sockets, pipes and input devices; not for /dev/kmsg and epoll.
 *
 * Once heard, SIGIO is heard for ever: a descriptor that nobody watches any more may have a signal under way, and one that
 * nobody hears ends the process (signal(7)).
 */

import type { Watch } from "./descriptor.ts";
import type { Libc } from "./libc.ts";

/** asm-generic/fcntl.h */
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const O_NONBLOCK = 0o4000;
const O_ASYNC = 0o20000;

const sweep_interval_ms = 1000;

const callbacks = new Set<() => void>();
let sweep: NodeJS.Timeout | null = null;

/** @throws {SysError} EBADF */
export function hearReadable(libc: Libc, fd: number, callback: () => void): Watch {
  if (!process.listeners("SIGIO").includes(wakeAll)) process.on("SIGIO", wakeAll);
  if (callbacks.size === 0) {
    sweep = setInterval(wakeAll, sweep_interval_ms);
    sweep.unref();
  }
  const wake = (): void => callback();
  callbacks.add(wake);
  const close = (): void => {
    if (!callbacks.delete(wake) || callbacks.size > 0) return;
    if (sweep !== null) clearInterval(sweep);
    sweep = null;
  };
  try {
    libc.call("fcntl", [fd, F_SETOWN, process.pid], `F_SETOWN of descriptor ${fd}`);
    const flags = libc.call("fcntl", [fd, F_GETFL, 0], `F_GETFL of descriptor ${fd}`);
    libc.call("fcntl", [fd, F_SETFL, flags | O_NONBLOCK | O_ASYNC], `F_SETFL of descriptor ${fd}`);
  } catch (error) {
    close();
    throw error;
  }
  queueMicrotask(() => callbacks.has(wake) && wake()); // what came before O_ASYNC gave no signal
  return { close };
}

/** One callback that throws must not keep the others from hearing; the error surfaces as an uncaught exception. */
function wakeAll(): void {
  for (const callback of [...callbacks]) {
    try {
      if (callbacks.has(callback)) callback();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
