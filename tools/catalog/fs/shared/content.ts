/** What is in files: read, written, hashed, copied. Large ones piece by piece, so that others have their turn. */

import { createHash } from "node:crypto";
import { read, readSync, write } from "node:fs";
import { promisify } from "node:util";
import { SysError } from "../../../../sys/errors.ts";
import type { System } from "../../../../sys/system.ts";
import { ToolError } from "../../../tool.ts";
import { breathe, goOn } from "./failure.ts";

const readInto = promisify(read);
const writeFrom = promisify(write);

const piece_bytes = 1024 * 1024;
/** What the kernel copies in one go, some ten milliseconds on a disk. */
const copy_bytes = 16 * 1024 * 1024;

/** Opens what a place stands for so that reading it leaves no trace. Does not wait for pipes and the like. @throws {SysError} */
export function openForReading(sys: System, fd: number): number {
  try {
    return sys.file.reopen(fd, ["read", "nonblock", "noatime"]);
  } catch (error) {
    if (error instanceof SysError && error.code === "EPERM") return sys.file.reopen(fd, ["read", "nonblock"]); // not its owner
    throw error;
  }
}

/** Up to `length` bytes from `offset`; fewer at the end. Files of /proc give what they like each time: read until nothing comes. */
export function readPart(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(fd, buffer, filled, length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return buffer.subarray(0, filled);
}

/** @throws {ToolError} when it is larger than `bytes_max` */
export function readWhole(fd: number, bytes_max: number, what: string): Buffer {
  const content = readPart(fd, 0, bytes_max + 1);
  if (content.length > bytes_max)
    throw new ToolError(`${what} failed: it is larger than ${bytes_max} bytes, the most that this tool takes`);
  return content;
}

export async function writeWhole(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await writeFrom(fd, bytes, at, Math.min(piece_bytes, bytes.length - at), null)).bytesWritten;
}

type HashName = "sha256" | "sha512" | "blake2b512" | "sha1" | "md5";

/** From the start to the end, in hexadecimal. */
export async function hashOf(fd: number, algorithm: HashName, signal: AbortSignal): Promise<string> {
  const hash = createHash(algorithm);
  const buffer = Buffer.alloc(piece_bytes);
  for (let at = 0; ; ) {
    goOn(signal);
    const { bytesRead } = await readInto(fd, buffer, 0, buffer.length, at);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const cannot: ReadonlySet<string> = new Set(["EOPNOTSUPP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS", "EBADF", "ETXTBSY", "EPERM"]);

function possible(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof SysError && cannot.has(error.code)) return false;
    throw error;
  }
}

/**
 * Copies all of `from` into the empty `to`: blocks are shared where the file system can, holes stay holes.
 * @throws {SysError} ENOSPC, EIO
 */
export async function copyContent(sys: System, from: number, to: number, signal: AbortSignal): Promise<"reflink" | "copy"> {
  const size_bytes = sys.file.status(from).size_bytes;
  if (size_bytes === 0) return "copy";
  if (possible(() => sys.file.clone(from, to))) return "reflink";
  for (let at = 0; at < size_bytes; ) {
    const { start, end } = dataAfter(sys, from, at, size_bytes);
    await copyRange(sys, from, to, start, end, signal);
    at = end;
  }
  sys.file.truncate(to, size_bytes);
  return "copy";
}

/** The next stretch that is no hole. */
function dataAfter(sys: System, fd: number, at: number, size_bytes: number): { readonly start: number; readonly end: number } {
  let start: number | null = at;
  let end: number | null = size_bytes;
  possible(() => {
    start = sys.file.seek(fd, at, "data");
    if (start !== null) end = sys.file.seek(fd, start, "hole");
  });
  return start === null ? { start: size_bytes, end: size_bytes } : { start, end: end ?? size_bytes };
}

async function copyRange(sys: System, from: number, to: number, start: number, end: number, signal: AbortSignal): Promise<void> {
  sys.file.seek(from, start, "start");
  sys.file.seek(to, start, "start");
  let at = start;
  while (at < end) {
    goOn(signal);
    let copied = 0;
    const by_kernel = possible(() => {
      copied = sys.file.copyRange(from, to, Math.min(copy_bytes, end - at));
    });
    if (!by_kernel) return copyByHand(from, to, at, end, signal);
    if (copied === 0) return; // it became shorter meanwhile
    at += copied;
    if (at < end) await breathe();
  }
}

async function copyByHand(from: number, to: number, start: number, end: number, signal: AbortSignal): Promise<void> {
  const buffer = Buffer.alloc(piece_bytes);
  for (let at = start; at < end; ) {
    goOn(signal);
    const { bytesRead } = await readInto(from, buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) return;
    for (let done = 0; done < bytesRead; ) done += (await writeFrom(to, buffer, done, bytesRead - done, at + done)).bytesWritten;
    at += bytesRead;
  }
}
