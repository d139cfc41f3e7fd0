/** Mounts, swap, and how full a file system is. */

import { closeSync, openSync } from "node:fs";
import type { Libc } from "./libc.ts";

/** linux/mount.h */
const mount_flags = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  noatime: 1024,
  bind: 4096,
  move: 8192,
  rec: 16384,
  silent: 32768,
  private: 1 << 18,
  relatime: 1 << 21,
  strictatime: 1 << 24,
} as const;
export type MountFlag = keyof typeof mount_flags;

interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags?: readonly MountFlag[];
  /** Options of the file system itself: `mode=0755,size=25%`. */
  readonly data?: string;
}

/** sys/mount.h: MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW. */
const unmount_flags = { force: 1, detach: 2, nofollow: 8 } as const;
type UnmountFlag = keyof typeof unmount_flags;

/** statvfs(3) */
interface FileSystemUse {
  readonly size_bytes: number;
  /** Free for root. */
  readonly free_bytes: number;
  /** Free for everyone else. */
  readonly available_bytes: number;
  readonly inodes: number;
  readonly inodes_free: number;
  readonly read_only: boolean;
}

export interface MountCalls {
  /** mount(2). @throws {SysError} EBUSY when it is mounted already, ENODEV when the kernel lacks the type */
  mount(request: MountRequest): void;
  /** umount2(2). @throws {SysError} EBUSY when it is in use, EINVAL when it is not a mount point */
  unmount(target: string, flags?: readonly UnmountFlag[]): void;
  /** swapon(2), at the kernel's own choice of priority. @throws {SysError} EINVAL when it holds no swap area (mkswap(8)), EBUSY when it is in use */
  swapOn(path: string): void;
  /**
   * swapoff(2) on a thread of its own: all that lies in it is read back, which takes as long as the disk takes. Whether it
   * is out of use afterwards says /proc/swaps.
   */
  swapOffAside(path: string): Promise<void>;
  /**
   * syncfs(2) on a thread of its own: what is in memory of this file system is written to its disk. Ends when that has answered, which
   * may be never; other disks are not waited for. @throws {SysError} EIO when it could not be written
   */
  syncAside(target: string): Promise<void>;
  /** statvfs(3). @throws {SysError} ENOENT */
  use(path: string): FileSystemUse;
  /**
   * Whether the mount table has changed since this was asked of the same descriptor, or since it was opened: poll(2),
   * POLLPRI (proc_pid_mounts(5)). True also when that could not be found out.
   * @param fd of /proc/self/mountinfo
   */
  tableChanged(fd: number): boolean;
}

/** poll.h: struct pollfd { int fd; short events; short revents; } */
const pollfd_bytes = 8;
const pollfd_revents_at = 6;
const POLLPRI = 2;

const ST_RDONLY = 1;
/** struct statvfs on 64-bit: eleven words, then name length and spare room. */
const statvfs_bytes = 128;

export function mountCalls(libc: Libc): MountCalls {
  return {
    mount({ source, target, type, flags = [], data = "" }) {
      const bits = flags.reduce((sum, flag) => sum | mount_flags[flag], 0);
      const about = `mount ${type === "" ? "" : `${type} `}"${source}" on "${target}"`;
      libc.call("mount", [source, target, type, bits, data === "" ? null : data], about);
    },
    unmount(target, flags = []) {
      const bits = flags.reduce((sum, flag) => sum | unmount_flags[flag], 0);
      libc.call("umount2", [target, bits], `unmount "${target}"`);
    },
    swapOn: (path) => void libc.call("swapon", [path, 0], `swapon "${path}"`),
    swapOffAside: (path) => libc.aside("swapoff", [path]),
    async syncAside(target) {
      const fd = openSync(target, "r");
      try {
        await libc.callAside("syncfs", [fd], `syncfs "${target}"`);
      } finally {
        closeSync(fd);
      }
    },
    tableChanged(fd) {
      const asked = Buffer.alloc(pollfd_bytes);
      asked.writeInt32LE(fd, 0);
      asked.writeInt16LE(POLLPRI, 4);
      const { errno } = libc.attempt("poll", [asked, 1, 0]);
      return errno !== null || (asked.readInt16LE(pollfd_revents_at) & POLLPRI) !== 0; // interrupted: nobody knows
    },
    use(path) {
      const buffer = Buffer.alloc(statvfs_bytes);
      libc.call("statvfs", [path, buffer], `statvfs "${path}"`);
      const word = (index: number): number => Number(buffer.readBigUInt64LE(index * 8));
      const fragment_bytes = word(1);
      return {
        size_bytes: word(2) * fragment_bytes,
        free_bytes: word(3) * fragment_bytes,
        available_bytes: word(4) * fragment_bytes,
        inodes: word(5),
        inodes_free: word(6),
        read_only: (word(9) & ST_RDONLY) !== 0,
      };
    },
  };
}
