/** Unix datagram sockets: how foreign programs say READY=1 (sd_notify(3)). */

import { chmodSync, chownSync, rmSync } from "node:fs";
import { orNull, type Watch } from "./descriptor.ts";
import type { Libc } from "./libc.ts";
import { hearReadable } from "./readable.ts";

export interface DatagramOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface DatagramCalls {
  /**
   * Binds a socket at `path` (replacing what is there) that only `owner` can write to, and calls back once for each
   * datagram, in order. Longer ones than 4096 bytes arrive cut. Closing also removes the file.
   * @throws {SysError} ENOENT when the folder is missing, EINVAL when the path is longer than 107 bytes
   */
  listen(path: string, owner: DatagramOwner, onMessage: (text: string) => void): Watch;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** sun_path, with its final zero byte (unix(7)). */
const path_bytes_max = 107;
const message_bytes_max = 4096;
/** Datagrams taken at one wake-up: a program that floods its socket must not keep PID 1 busy. */
const messages_at_once = 64;

export function datagramCalls(libc: Libc): DatagramCalls {
  return {
    listen(path, owner, onMessage) {
      const fd = bindPrivately(libc, path, owner);
      const buffer = Buffer.alloc(message_bytes_max);
      let closed = false;
      const drain = (): void => {
        for (let taken = 0; taken < messages_at_once && !closed; taken++) {
          const length = orNull(libc, "recv", [fd, buffer, buffer.length, 0], `recv on "${path}"`);
          if (length === null) return;
          onMessage(buffer.toString("utf8", 0, length));
        }
        setImmediate(drain);
      };
      const watch = hearReadable(libc, fd, drain);
      return {
        close() {
          if (closed) return;
          closed = true;
          watch.close();
          libc.call("close", [fd], `close "${path}"`);
          rmSync(path, { force: true });
        },
      };
    },
  };
}

/** Between bind and chmod nobody may write: the umask takes every right away. */
function bindPrivately(libc: Libc, path: string, owner: DatagramOwner): number {
  const name = Buffer.from(`${path}\0`);
  if (name.length > path_bytes_max + 1) throw libc.error(`bind a socket at "${path}"`, EINVAL);
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  address.set(name, 2);
  rmSync(path, { force: true });
  const fd = libc.call("socket", [AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0], "socket for datagrams");
  const umask = process.umask(0o777);
  try {
    libc.call("bind", [fd, address, address.length], `bind a socket at "${path}"`);
    chownSync(path, owner.uid, owner.gid);
    chmodSync(path, owner.mode);
  } catch (error) {
    libc.attempt("close", [fd]);
    throw error;
  } finally {
    process.umask(umask);
  }
  return fd;
}

const EINVAL = 22;
