/** What getdents64(2) tells of a folder's entries. */

import type { FileType } from "./status.ts";

export interface FolderEntry {
  /** Bytes: no zero byte, no slash, otherwise anything. */
  readonly name: Buffer;
  readonly inode: bigint;
  /** Null where the file system does not say; then ask for the status. */
  readonly type: FileType | null;
}

/** dirent.h, DT_* */
const type_by_number: ReadonlyMap<number, FileType> = new Map([
  [8, "file"],
  [4, "directory"],
  [10, "symlink"],
  [1, "fifo"],
  [12, "socket"],
  [2, "character-device"],
  [6, "block-device"],
]);

/** struct linux_dirent64: inode, offset, length of the record, type, name. `.` and `..` are left out. */
export function decodeEntries(buffer: Buffer, length: number): FolderEntry[] {
  const entries: FolderEntry[] = [];
  for (let at = 0; at < length; ) {
    const record_bytes = buffer.readUInt16LE(at + 16);
    const name = Buffer.from(buffer.subarray(at + 19, buffer.indexOf(0, at + 19)));
    if (!isDots(name))
      entries.push({ name, inode: buffer.readBigUInt64LE(at), type: type_by_number.get(buffer.readUInt8(at + 18)) ?? null });
    at += record_bytes;
  }
  return entries;
}

function isDots(name: Buffer): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}
