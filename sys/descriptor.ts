/** File descriptors that are read without waiting, and how one hears that there is something to read. */

import type { Libc } from "./libc.ts";
import { hearReadable } from "./readable.ts";

/** asm-generic/fcntl.h (the same on x86-64 and arm64 for these) */
const open_flags = { read: 0, write: 1, "read-write": 2, create: 0o100, truncate: 0o1000, append: 0o2000 } as const;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
type OpenFlag = keyof typeof open_flags;

/** Something that goes on until it is closed. Closing twice does nothing. */
export interface Watch {
  close(): void;
}

export interface DescriptorCalls {
  /** open(2), always with O_NONBLOCK and O_CLOEXEC. @throws {SysError} */
  open(path: string, flags: readonly OpenFlag[], mode?: number): number;
  close(fd: number): void;
  /** read(2). @returns how many bytes; 0 at the end; null when there is nothing yet (EAGAIN). @throws {SysError} */
  read(fd: number, into: Uint8Array): number | null;
  /** write(2). @returns how many bytes were taken; null when there is no room yet (EAGAIN). @throws {SysError} */
  write(fd: number, bytes: Uint8Array): number | null;
  /** mkfifo(3). @throws {SysError} EEXIST */
  makePipe(path: string, mode: number): void;
  /** Calls back when `fd` may have something to read; the callee reads until null. `fd` stays the caller's to close. */
  onReadable(fd: number, callback: () => void): Watch;
}

export function descriptorCalls(libc: Libc): DescriptorCalls {
  return {
    open(path, flags, mode = 0o600) {
      const bits = flags.reduce((sum, flag) => sum | open_flags[flag], O_NONBLOCK | O_CLOEXEC);
      return libc.call("open", [path, bits, mode], `open "${path}"`);
    },
    close(fd) {
      libc.call("close", [fd], `close ${fd}`);
    },
    read: (fd, into) => orNull(libc, "read", [fd, into, into.length], `read ${fd}`),
    write: (fd, bytes) => orNull(libc, "write", [fd, bytes, bytes.length], `write ${fd}`),
    makePipe(path, mode) {
      libc.call("mkfifo", [path, mode], `mkfifo "${path}"`);
    },
    onReadable: (fd, callback) => hearReadable(libc, fd, callback),
  };
}

/** A call whose EAGAIN is an answer and not a failure; EINTR is tried again. */
export function orNull(libc: Libc, name: string, args: Parameters<Libc["call"]>[1], about: string): number | null {
  for (;;) {
    const { value, errno } = libc.attempt(name, args);
    if (errno === null) return value;
    if (errno === EAGAIN) return null;
    if (errno !== EINTR) throw libc.error(about, errno);
  }
}

const EAGAIN = 11;
const EINTR = 4;
