/** The kernel's random pool. */

import { closeSync, openSync } from "node:fs";
import type { Libc } from "./libc.ts";

export interface EntropyCalls {
  /** RNDADDENTROPY (random(4)): mixes `seed` in and counts all its bits as random. @throws {SysError} EPERM without CAP_SYS_ADMIN */
  credit(seed: Uint8Array): void;
}

/** linux/random.h: _IOW('R', 0x03, int[2]) */
const RNDADDENTROPY = 0x40085203;

export function entropyCalls(libc: Libc): EntropyCalls {
  return {
    credit(seed) {
      // struct rand_pool_info: bits to count, bytes that follow, the bytes
      const pool = Buffer.alloc(8 + seed.length);
      pool.writeInt32LE(seed.length * 8, 0);
      pool.writeInt32LE(seed.length, 4);
      pool.set(seed, 8);
      const fd = openSync("/dev/urandom", "r");
      try {
        libc.call("ioctl", [fd, RNDADDENTROPY, pool], `RNDADDENTROPY of ${seed.length} bytes`);
      } finally {
        closeSync(fd);
        pool.fill(0);
      }
    },
  };
}
