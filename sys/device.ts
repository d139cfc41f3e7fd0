/** Device files: the hardware watchdog and whole disks. */

import { closeSync, openSync } from "node:fs";
import type { Libc } from "./libc.ts";

export interface DeviceCalls {
  /** WDIOC_GETSUPPORT (watchdog-api.rst): what the watchdog calls itself. @throws {SysError} ENOTTY */
  watchdogIdentity(fd: number): string;
  /** WDIOC_SETTIMEOUT. @returns the seconds that the device took, which may differ. @throws {SysError} EINVAL, EOPNOTSUPP */
  watchdogSetTimeout(fd: number, timeout_s: number): number;
  /** WDIOC_GETTIMEOUT, seconds. @throws {SysError} EOPNOTSUPP */
  watchdogTimeout(fd: number): number;
  /** WDIOC_KEEPALIVE. @throws {SysError} */
  watchdogPet(fd: number): void;
  /** BLKGETSIZE64, bytes. @throws {SysError} ENOTTY when it is not a block device */
  blockSize(path: string): number;
  /** BLKRRPART: reads the partition table again. @throws {SysError} EBUSY while a partition is in use */
  rereadPartitions(path: string): void;
  /**
   * BLKPG: tells the kernel of one partition of `disk`, also while others of the same disk are mounted.
   * @throws {SysError} EBUSY when it is in use or overlaps, EINVAL when it is not where it is said to be
   */
  tellPartition(disk: string, change: "add" | "resize" | "remove", partition: Partition): void;
}

export interface Partition {
  readonly number: number;
  readonly start_bytes: number;
  readonly size_bytes: number;
}

/** linux/watchdog.h: group 'W' */
const WDIOC_GETSUPPORT = 0x80285700;
const WDIOC_KEEPALIVE = 0x80045705;
const WDIOC_SETTIMEOUT = 0xc0045706;
const WDIOC_GETTIMEOUT = 0x80045707;
/** linux/fs.h */
const BLKGETSIZE64 = 0x80081272;
const BLKRRPART = 0x125f;
/** linux/blkpg.h */
const BLKPG = 0x1269;
const blkpg_operations = { add: 1, remove: 2, resize: 3 } as const;
/** struct blkpg_partition: start and length, number, two names of 64 bytes. */
const blkpg_partition_bytes = 152;
/** struct blkpg_ioctl_arg: operation, flags, length, padding, pointer. */
const blkpg_argument_bytes = 24;

/** struct watchdog_info: options, firmware version, 32 bytes of name. */
const watchdog_info_bytes = 40;

export function deviceCalls(libc: Libc): DeviceCalls {
  return {
    watchdogIdentity(fd) {
      const info = Buffer.alloc(watchdog_info_bytes);
      libc.call("ioctl", [fd, WDIOC_GETSUPPORT, info], "WDIOC_GETSUPPORT");
      const name = info.subarray(8);
      const end = name.indexOf(0);
      return name.toString("latin1", 0, end === -1 ? name.length : end);
    },
    watchdogSetTimeout(fd, timeout_s) {
      const word = Buffer.alloc(4);
      word.writeInt32LE(timeout_s, 0);
      libc.call("ioctl", [fd, WDIOC_SETTIMEOUT, word], `WDIOC_SETTIMEOUT to ${timeout_s} s`);
      return word.readInt32LE(0);
    },
    watchdogTimeout(fd) {
      const word = Buffer.alloc(4);
      libc.call("ioctl", [fd, WDIOC_GETTIMEOUT, word], "WDIOC_GETTIMEOUT");
      return word.readInt32LE(0);
    },
    watchdogPet(fd) {
      libc.call("ioctl", [fd, WDIOC_KEEPALIVE, Buffer.alloc(4)], "WDIOC_KEEPALIVE");
    },
    blockSize(path) {
      const word = Buffer.alloc(8);
      withDevice(path, (fd) => libc.call("ioctl", [fd, BLKGETSIZE64, word], `BLKGETSIZE64 of "${path}"`));
      return Number(word.readBigUInt64LE(0));
    },
    rereadPartitions(path) {
      withDevice(path, (fd) => libc.call("ioctl", [fd, BLKRRPART, 0], `BLKRRPART of "${path}"`));
    },
    tellPartition(disk, change, { number, start_bytes, size_bytes }) {
      const about = `BLKPG ${change} of partition ${number} of "${disk}"`;
      const partition = Buffer.alloc(blkpg_partition_bytes);
      partition.writeBigInt64LE(BigInt(start_bytes), 0);
      partition.writeBigInt64LE(BigInt(size_bytes), 8);
      partition.writeInt32LE(number, 16);
      // the kernel wants a pointer inside a structure: memory that stays where it is comes from malloc(3)
      const place = libc.call("malloc", [blkpg_partition_bytes], about);
      try {
        libc.attempt("memcpy", [place, partition, blkpg_partition_bytes]);
        const argument = Buffer.alloc(blkpg_argument_bytes);
        argument.writeInt32LE(blkpg_operations[change], 0);
        argument.writeInt32LE(blkpg_partition_bytes, 8);
        argument.writeBigInt64LE(BigInt(place), 16);
        withDevice(disk, (fd) => libc.call("ioctl", [fd, BLKPG, argument], about));
      } finally {
        libc.attempt("free", [place]);
      }
    },
  };
}

function withDevice<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, "r");
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
