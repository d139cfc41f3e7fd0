/**
 * Files by descriptor: each call names what it is about by an open folder and one name in it, or by a descriptor alone.
 * A descriptor opened with `path` stands for a place in the file system and opens nothing.
 */

import { constants } from "node:fs";
import type { SysError } from "../errors.ts";
import type { Libc } from "../libc.ts";
import { decodeEntries, type FolderEntry } from "./entries.ts";
import { decodeStatus, type FileStatus, statx_bytes, statx_mask } from "./status.ts";

export type { FolderEntry } from "./entries.ts";
export type { FileStatus, FileType } from "./status.ts";

/** A name or path as the kernel has it: bytes. A string is its UTF-8. */
export type Name = string | Uint8Array;

/** A folder's descriptor, or the working directory (which absolute paths do not look at). */
export type At = number | "cwd";

/** asm-generic/fcntl.h; the runtime knows those that differ by architecture. */
const open_flags = {
  path: 0o10000000,
  read: 0,
  write: constants.O_WRONLY,
  "read-write": constants.O_RDWR,
  directory: constants.O_DIRECTORY,
  nofollow: constants.O_NOFOLLOW,
  create: constants.O_CREAT,
  exclusive: constants.O_EXCL,
  truncate: constants.O_TRUNC,
  append: constants.O_APPEND,
  nonblock: constants.O_NONBLOCK,
  noatime: 0o1000000,
  /** O_TMPFILE: a file without a name in the folder that is opened. */
  nameless: 0o20000000 | constants.O_DIRECTORY,
} as const;
type OpenWish = keyof typeof open_flags;
const O_CLOEXEC = 0o2000000;
const O_NOCTTY = constants.O_NOCTTY;

/** linux/openat2.h */
const resolve_rules = { "no-xdev": 1, "no-magiclinks": 2, "no-symlinks": 4, beneath: 8, "in-root": 16 } as const;
type ResolveRule = keyof typeof resolve_rules;

/** linux/fs.h: RENAME_NOREPLACE, RENAME_EXCHANGE */
const rename_flags = { replace: 0, noreplace: 1, exchange: 2 } as const;
type RenameHow = keyof typeof rename_flags;

/** sys/file.h, all with LOCK_NB */
const lock_operations = { shared: 1 | 4, exclusive: 2 | 4, unlock: 8 | 4 } as const;

interface FileTimes {
  /** Nanoseconds since 1970; left out: stays as it is. */
  readonly atime_ns?: bigint;
  readonly mtime_ns?: bigint;
}

export interface FileCalls {
  /** openat2(2), always with O_CLOEXEC and O_NOCTTY. @throws {SysError} ELOOP where a rule forbids a link, EXDEV a mount */
  open(at: At, path: Name, wishes: readonly OpenWish[], rules?: readonly ResolveRule[], mode?: number): number;
  /** What a `path` descriptor stands for, opened in earnest: by /proc/self/fd, so the very same inode. @throws {SysError} */
  reopen(fd: number, wishes: readonly OpenWish[]): number;
  /** statx(2) of a descriptor. @throws {SysError} */
  status(fd: number): FileStatus;
  /** statx(2) of a name in a folder, a symbolic link itself. @throws {SysError} ENOENT */
  statusAt(at: At, name: Name): FileStatus;
  /** The path by which the kernel knows a descriptor now (proc_pid_fd(5)): bytes; ends in ` (deleted)` when it has none. */
  pathOf(fd: number): Buffer;
  /** readlinkat(2): of a name, or (name "") of a descriptor of the link itself. @throws {SysError} EINVAL when it is no link */
  readLink(at: At, name: Name): Buffer;
  /** getdents64(2): all entries of an open folder from its start, unordered, without `.` and `..`. @throws {SysError} */
  entries(fd: number): FolderEntry[];
  /** mkdirat(2). @throws {SysError} EEXIST */
  makeFolder(at: At, name: Name, mode: number): void;
  /** unlinkat(2). @throws {SysError} ENOENT, EISDIR, ENOTDIR, ENOTEMPTY */
  unlink(at: At, name: Name, what: "file" | "directory"): void;
  /** renameat2(2). @throws {SysError} EEXIST with noreplace, ENOENT with exchange, EXDEV */
  rename(from: At, from_name: Name, to: At, to_name: Name, how: RenameHow): void;
  /** linkat(2) with AT_EMPTY_PATH: another name for the file behind a descriptor, also one without any. @throws {SysError} EEXIST, EXDEV, EMLINK */
  link(fd: number, at: At, name: Name): void;
  /** symlinkat(2). @throws {SysError} EEXIST */
  symlink(target: Name, at: At, name: Name): void;
  /** chmod(2) by /proc/self/fd, so that `path` descriptors will do. @throws {SysError} EOPNOTSUPP for a symbolic link */
  setMode(fd: number, mode: number): void;
  /** fchownat(2) with AT_EMPTY_PATH; clears setuid, setgid and file capabilities. @throws {SysError} */
  setOwner(fd: number, uid: number, gid: number): void;
  /** utimensat(2) with AT_EMPTY_PATH. @throws {SysError} */
  setTimes(fd: number, times: FileTimes): void;
  /** listxattr(2) by /proc/self/fd; empty where the file system has none. @throws {SysError} */
  attributes(fd: number): string[];
  /** getxattr(2); null when it has no such attribute, as no file of a file system without any has. @throws {SysError} */
  attribute(fd: number, name: string): Buffer | null;
  /** setxattr(2). @throws {SysError} EOPNOTSUPP, ENOSPC */
  setAttribute(fd: number, name: string, value: Uint8Array): void;
  /** removexattr(2). @throws {SysError} ENODATA */
  removeAttribute(fd: number, name: string): void;
  /** fsync(2), on a thread of its own. @throws {SysError} EIO, ENOSPC */
  sync(fd: number): Promise<void>;
  /** syncfs(2), on a thread of its own: everything of the file system that holds `fd`. @throws {SysError} */
  syncAll(fd: number): Promise<void>;
  /** ftruncate(2). @throws {SysError} */
  truncate(fd: number, size_bytes: number): void;
  /**
   * copy_file_range(2) between the offsets that both descriptors are at, which move on. 0 at the end.
   * @throws {SysError} EXDEV, EINVAL, EOPNOTSUPP where the file systems cannot: then read and write
   */
  copyRange(from: number, to: number, length: number): number;
  /** FICLONE (ioctl_ficlone(2)): `to` shares all blocks of `from`. @throws {SysError} EOPNOTSUPP, EXDEV, EINVAL, ENOTTY */
  clone(from: number, to: number): void;
  /** lseek(2); `data` and `hole` give null when there is none behind the offset (ENXIO). @throws {SysError} */
  seek(fd: number, offset: number, whence: "start" | "end" | "data" | "hole"): number | null;
  /** flock(2) without waiting. @returns false when another holds it. @throws {SysError} */
  lock(fd: number, how: keyof typeof lock_operations): boolean;
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
/** The same on x86-64 and arm64; glibc has no wrapper for it. */
const SYS_openat2 = 437;
/** linux/fs.h: _IOW(0x94, 9, int) */
const FICLONE = 0x40049409;
const UTIME_OMIT = (1n << 30n) - 2n;
const whences = { start: 0, end: 2, data: 3, hole: 4 } as const;
const entries_bytes = 64 * 1024;
/** limits.h: PATH_MAX; XATTR_LIST_MAX and XATTR_SIZE_MAX are 65,536. */
const path_bytes_max = 4096;
const attribute_bytes_max = 65_536;

export function fileCalls(libc: Libc): FileCalls {
  const empty = Buffer.alloc(1);
  const failure = (about: string, code: number): SysError => libc.error(about, code);
  const text = (name: Name): Buffer => {
    const bytes = typeof name === "string" ? Buffer.from(name) : name;
    if (bytes.includes(0)) throw failure(`naming a file ${JSON.stringify(show(name))}`, EINVAL);
    return Buffer.concat([bytes, empty]);
  };
  const status = (about: string, at: At, name: Buffer, flags: number): FileStatus => {
    const buffer = Buffer.alloc(statx_bytes);
    libc.call("statx", [directory(at), name, flags, statx_mask, buffer], about);
    return decodeStatus(buffer, (what) => failure(`${about}: ${what}`, EINVAL));
  };
  const filled = (name: string, args: readonly (number | Uint8Array)[], buffer: Buffer, about: string): Buffer =>
    buffer.subarray(0, libc.call(name, [...args, buffer, buffer.length], about));
  const held = (fd: number): Buffer => text(`/proc/self/fd/${fd}`);
  const open = (at: At, path: Name, wishes: readonly OpenWish[], rules: readonly ResolveRule[] = [], mode = 0): number => {
    const how = Buffer.alloc(24);
    const base = wishes.includes("path") ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY; // openat2 refuses what O_PATH has no use for
    how.writeBigUInt64LE(BigInt(wishes.reduce((sum, wish) => sum | open_flags[wish], base)), 0);
    how.writeBigUInt64LE(BigInt(mode), 8);
    how.writeBigUInt64LE(BigInt(rules.reduce((sum, rule) => sum | resolve_rules[rule], 0)), 16);
    const name = text(path);
    const about = `open "${show(path)}"`;
    for (;;) {
      const { value, errno } = libc.attempt("syscall", [SYS_openat2, directory(at), name, how, how.length]);
      if (errno === null) return value;
      if (errno !== EINTR && errno !== EAGAIN) throw failure(about, errno); // EAGAIN: a rename came between (openat2(2))
    }
  };
  return {
    open,
    reopen: (fd, wishes) => open("cwd", `/proc/self/fd/${fd}`, wishes),
    status: (fd) => status(`status of descriptor ${fd}`, fd, empty, AT_EMPTY_PATH),
    statusAt: (at, name) => status(`status of "${show(name)}"`, at, text(name), AT_SYMLINK_NOFOLLOW),
    pathOf: (fd) => Buffer.from(filled("readlink", [held(fd)], Buffer.alloc(path_bytes_max), `path of descriptor ${fd}`)),
    readLink: (at, name) =>
      Buffer.from(filled("readlinkat", [directory(at), text(name)], Buffer.alloc(path_bytes_max), `read link "${show(name)}"`)),
    entries(fd) {
      const entries: FolderEntry[] = [];
      const buffer = Buffer.alloc(entries_bytes);
      libc.call("lseek", [fd, 0, whences.start], `rewind folder ${fd}`);
      for (;;) {
        const length = libc.call("getdents64", [fd, buffer, buffer.length], `entries of folder ${fd}`);
        if (length === 0) return entries;
        for (const entry of decodeEntries(buffer, length)) entries.push(entry);
      }
    },
    makeFolder(at, name, mode) {
      libc.call("mkdirat", [directory(at), text(name), mode], `make folder "${show(name)}"`);
    },
    unlink(at, name, what) {
      libc.call("unlinkat", [directory(at), text(name), what === "directory" ? AT_REMOVEDIR : 0], `unlink "${show(name)}"`);
    },
    rename(from, from_name, to, to_name, how) {
      const about = `rename "${show(from_name)}" to "${show(to_name)}" (${how})`;
      libc.call("renameat2", [directory(from), text(from_name), directory(to), text(to_name), rename_flags[how]], about);
    },
    link(fd, at, name) {
      libc.call("linkat", [fd, empty, directory(at), text(name), AT_EMPTY_PATH], `link "${show(name)}"`);
    },
    symlink(target, at, name) {
      libc.call("symlinkat", [text(target), directory(at), text(name)], `make symbolic link "${show(name)}" to "${show(target)}"`);
    },
    setMode(fd, mode) {
      libc.call("chmod", [held(fd), mode], `chmod descriptor ${fd} to 0o${mode.toString(8)}`);
    },
    setOwner(fd, uid, gid) {
      libc.call("fchownat", [fd, empty, uid, gid, AT_EMPTY_PATH], `chown descriptor ${fd} to ${uid}:${gid}`);
    },
    setTimes(fd, times) {
      const pair = Buffer.alloc(32);
      writeTime(pair, 0, times.atime_ns);
      writeTime(pair, 16, times.mtime_ns);
      libc.call("utimensat", [fd, empty, pair, AT_EMPTY_PATH], `set times of descriptor ${fd}`);
    },
    attributes(fd) {
      const buffer = Buffer.alloc(attribute_bytes_max);
      const { value, errno } = libc.attempt("listxattr", [held(fd), buffer, buffer.length]);
      if (errno === EOPNOTSUPP) return [];
      if (errno !== null) throw failure(`list attributes of descriptor ${fd}`, errno);
      return buffer.toString("utf8", 0, value).split("\0").slice(0, -1);
    },
    attribute(fd, name) {
      const buffer = Buffer.alloc(attribute_bytes_max);
      const { value, errno } = libc.attempt("getxattr", [held(fd), text(name), buffer, buffer.length]);
      if (errno === ENODATA || errno === EOPNOTSUPP) return null;
      if (errno !== null) throw failure(`attribute "${name}" of descriptor ${fd}`, errno);
      return Buffer.from(buffer.subarray(0, value));
    },
    setAttribute(fd, name, value) {
      const bytes = value.length === 0 ? empty : value; // a buffer of no bytes has no address
      libc.call("setxattr", [held(fd), text(name), bytes, value.length, 0], `set attribute "${name}" of descriptor ${fd}`);
    },
    removeAttribute(fd, name) {
      libc.call("removexattr", [held(fd), text(name)], `remove attribute "${name}" of descriptor ${fd}`);
    },
    sync: (fd) => libc.callAside("fsync", [fd], `fsync of descriptor ${fd}`),
    syncAll: (fd) => libc.callAside("syncfs", [fd], `syncfs by descriptor ${fd}`),
    truncate(fd, size_bytes) {
      libc.call("ftruncate", [fd, size_bytes], `truncate descriptor ${fd} to ${size_bytes} bytes`);
    },
    copyRange: (from, to, length) =>
      libc.call("copy_file_range", [from, null, to, null, length, 0], `copy_file_range of descriptor ${from} to ${to}`),
    clone(from, to) {
      libc.call("ioctl", [to, FICLONE, from], `FICLONE of descriptor ${from} to ${to}`);
    },
    seek(fd, offset, whence) {
      const { value, errno } = libc.attempt("lseek", [fd, offset, whences[whence]]);
      if (errno === ENXIO) return null;
      if (errno !== null) throw failure(`lseek descriptor ${fd} to ${whence} ${offset}`, errno);
      return value;
    },
    lock(fd, how) {
      const { errno } = libc.attempt("flock", [fd, lock_operations[how]]);
      if (errno === EAGAIN) return false;
      if (errno !== null) throw failure(`flock descriptor ${fd}, ${how}`, errno);
      return true;
    },
  };
}

function directory(at: At): number {
  return at === "cwd" ? AT_FDCWD : at;
}

function show(name: Name): string {
  return typeof name === "string" ? name : Buffer.from(name).toString();
}

/** struct timespec; times before 1970 have negative seconds and positive nanoseconds. */
function writeTime(pair: Buffer, at: number, time_ns: bigint | undefined): void {
  if (time_ns === undefined) {
    pair.writeBigInt64LE(UTIME_OMIT, at + 8);
    return;
  }
  const rest_ns = ((time_ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  pair.writeBigInt64LE((time_ns - rest_ns) / 1_000_000_000n, at);
  pair.writeBigInt64LE(rest_ns, at + 8);
}

const EINTR = 4;
const ENXIO = 6;
const EAGAIN = 11;
const EINVAL = 22;
const ENODATA = 61;
const EOPNOTSUPP = 95;
