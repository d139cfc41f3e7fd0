/** Sockets that are bound to an address (socket(2), bind(2)): opened whole or not at all. */

import type { Libc } from "./libc.ts";

/** asm-generic/socket.h, x86-64 and arm64 */
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;

interface BoundSocket {
  readonly family: number;
  /** Kind and flags: `SOCK_DGRAM | SOCK_CLOEXEC`. */
  readonly type: number;
  readonly protocol: number;
  /** sockaddr of the family, the family's number in its first two bytes left to us. */
  readonly address: Buffer;
  /** For messages: `a netlink socket of protocol 0`. */
  readonly what: string;
  /** What is to be done around bind(2); the socket is closed when it throws. Without it: bind and nothing else. */
  readonly around?: (fd: number, bind: () => void) => void;
}

/** @returns the descriptor. @throws {SysError} of socket(2), bind(2), or whatever `around` throws */
export function openBound(libc: Libc, { family, type, protocol, address, what, around }: BoundSocket): number {
  address.writeUInt16LE(family, 0);
  const fd = libc.call("socket", [family, type, protocol], `open ${what}`);
  const bind = (): void => void libc.call("bind", [fd, address, address.length], `bind ${what}`);
  try {
    if (around === undefined) bind();
    else around(fd, bind);
    return fd;
  } catch (error) {
    libc.attempt("close", [fd]);
    throw error;
  }
}
