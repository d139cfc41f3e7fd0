/** What statx(2) tells of a file. */

import type { SysError } from "../errors.ts";

export const file_types = ["file", "directory", "symlink", "fifo", "socket", "character-device", "block-device"] as const;
export type FileType = (typeof file_types)[number];

export interface FileStatus {
  readonly type: FileType;
  /** The lower twelve bits: permissions, sticky, setgid, setuid. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size_bytes: number;
  /** What it takes on disk. */
  readonly allocated_bytes: number;
  readonly inode: bigint;
  /** The file system's device, `major:minor`, as in mountinfo. */
  readonly device: string;
  /** What a device node stands for, `major:minor`; else null. */
  readonly node: string | null;
  /** Nanoseconds since 1970. */
  readonly atime_ns: bigint;
  readonly mtime_ns: bigint;
  readonly ctime_ns: bigint;
  /** When it was made; null where the file system does not keep that. */
  readonly btime_ns: bigint | null;
  /** The mount through which it was reached, as in mountinfo. */
  readonly mount_id: number;
  readonly attributes: readonly FileAttribute[];
}

/** linux/stat.h, STATX_ATTR_*; `mount-root`: it is the root of a mount. */
const attribute_bits = {
  compressed: 0x4,
  immutable: 0x10,
  append: 0x20,
  nodump: 0x40,
  encrypted: 0x800,
  "mount-root": 0x2000,
  verity: 0x100000,
} as const;
type FileAttribute = keyof typeof attribute_bits;

/** struct statx */
export const statx_bytes = 256;
/** STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID */
export const statx_mask = 0x7ff | 0x800 | 0x1000;
const STATX_BTIME = 0x800;

/** S_IFMT by type (inode(7)). */
const type_by_bits: ReadonlyMap<number, FileType> = new Map([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
  [0o010000, "fifo"],
  [0o140000, "socket"],
  [0o020000, "character-device"],
  [0o060000, "block-device"],
]);

/** @throws what `unknown` makes, for a kind of file that Linux does not have */
export function decodeStatus(buffer: Buffer, unknown: (what: string) => SysError): FileStatus {
  const word = (at: number): number => buffer.readUInt32LE(at);
  const long = (at: number): bigint => buffer.readBigUInt64LE(at);
  const time_ns = (at: number): bigint => buffer.readBigInt64LE(at) * 1_000_000_000n + BigInt(word(at + 8));
  const mode = buffer.readUInt16LE(28);
  const type = type_by_bits.get(mode & 0o170000);
  if (type === undefined) throw unknown(`a file of kind 0o${(mode & 0o170000).toString(8)}`);
  const attributes = word(8);
  return {
    type,
    mode: mode & 0o7777,
    uid: word(20),
    gid: word(24),
    links: word(16),
    size_bytes: Number(long(40)),
    allocated_bytes: Number(long(48)) * 512,
    inode: long(32),
    device: `${word(136)}:${word(140)}`,
    node: type.endsWith("-device") ? `${word(128)}:${word(132)}` : null,
    atime_ns: time_ns(64),
    mtime_ns: time_ns(112),
    ctime_ns: time_ns(96),
    btime_ns: (word(0) & STATX_BTIME) === 0 ? null : time_ns(80),
    mount_id: Number(long(144)),
    attributes: attributeNames.filter((name) => (attributes & attribute_bits[name]) !== 0),
  };
}

const attributeNames = Object.keys(attribute_bits).filter((name): name is FileAttribute => Object.hasOwn(attribute_bits, name));
