/** Copying the content of one file into the store: shared blocks where the file system can, holes stay holes. */

import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SysError } from "../../sys/errors.ts";
import type { System } from "../../sys/system.ts";

type Files = Pick<System, "file" | "descriptor">;

const slice_bytes = 4 * 1024 * 1024;
/** What ioctl_ficlone(2) and copy_file_range(2) say where they cannot. */
const cannot: ReadonlySet<string> = new Set(["EOPNOTSUPP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS", "EBADF", "ETXTBSY", "EPERM"]);

/** @param to empty, open for reading and writing. @throws {SysError} ENOSPC, EIO */
export async function copyContent(sys: Files, from: number, to: number): Promise<"copy" | "reflink"> {
  try {
    sys.file.clone(from, to);
    return "reflink";
  } catch (error) {
    if (!isCannot(error)) throw error;
  }
  const { size_bytes } = sys.file.status(from);
  for (let at = 0; at < size_bytes; ) {
    const data = sys.file.seek(from, at, "data");
    if (data === null) break;
    const hole = sys.file.seek(from, data, "hole") ?? size_bytes;
    await copySegment(sys, from, to, data, hole);
    at = hole;
  }
  sys.file.truncate(to, size_bytes);
  return "copy";
}

async function copySegment(sys: Files, from: number, to: number, begin: number, end: number): Promise<void> {
  for (let at = begin; at < end; ) {
    const wanted = Math.min(slice_bytes, end - at);
    sys.file.seek(from, at, "start");
    sys.file.seek(to, at, "start");
    const copied = copyInKernel(sys, from, to, wanted) ?? copyByHand(sys, from, to, wanted);
    if (copied === 0) return; // it has become shorter meanwhile
    at += copied;
    await nextTurn();
  }
}

function copyInKernel(sys: Files, from: number, to: number, bytes: number): number | null {
  try {
    return sys.file.copyRange(from, to, bytes);
  } catch (error) {
    if (isCannot(error)) return null;
    throw error;
  }
}

function copyByHand(sys: Files, from: number, to: number, bytes: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(bytes, 1024 * 1024));
  const length = readSync(from, buffer);
  writeAll(sys, to, buffer.subarray(0, length));
  return length;
}

export function writeAll(sys: Pick<System, "descriptor">, fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += sys.descriptor.write(fd, bytes.subarray(at)) ?? 0;
}

/** SHA-256 of what is in a file, from its start. */
export async function contentHash(sys: Files, fd: number): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  sys.file.seek(fd, 0, "start");
  for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
    hash.update(buffer.subarray(0, length));
    if (length === buffer.length) await nextTurn();
  }
  return hash.digest("hex");
}

function isCannot(error: unknown): boolean {
  return error instanceof SysError && cannot.has(error.code);
}
