/** Unix datagram sockets: how foreign programs say READY=1 (sd_notify(3)). */

import { chmodSync, chownSync, rmSync } from "node:fs";
import { orNull, type Watch } from "./descriptor.ts";
import type { Libc } from "./libc.ts";
import { hearReadable } from "./readable.ts";
import { openBound, SOCK_CLOEXEC, SOCK_NONBLOCK } from "./socket.ts";

interface DatagramOwner {
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
        if (!closed) setImmediate(drain); // a drain that is pending when it is closed would go on for ever
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
  const what = `a socket at "${path}"`;
  if (name.length > path_bytes_max + 1) throw libc.error(`bind ${what}`, EINVAL);
  rmSync(path, { force: true });
  return openBound(libc, {
    family: AF_UNIX,
    type: SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
    protocol: 0,
    address: Buffer.concat([Buffer.alloc(2), name]),
    what,
    around(_, bind) {
      const umask = process.umask(0o777);
      try {
        bind();
        chownSync(path, owner.uid, owner.gid);
        chmodSync(path, owner.mode);
      } finally {
        process.umask(umask);
      }
    },
  });
}

const EINVAL = 22;
