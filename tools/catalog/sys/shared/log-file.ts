/**
 * One log file that is rotated in place: its content goes into a compressed archive beside it, then it is cut to nothing. It
 * stays the same file, so that whoever has it open writes on. The states, in order:
 *
 *   1. nothing done                        the log is whole
 *   2. the archive lies beside             the log is whole; a leftover, perhaps half written
 *   3. the archive is in its place         the log is whole
 *   4. cut                                 the log holds what was written since
 *   5. old archives are gone
 *
 * Undo brings each of them to state 1, with what was written since behind it. What the log held comes out of the archive: no copy
 * of it is kept besides, for a log is rotated when there is no room.
 */

import { createReadStream, createWriteStream, fstatSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { z } from "zod";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import type { Occupied } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { KeptFile } from "../../../undo/images.ts";
import { differenceOf, KeptAttributes, readAttributes, writeAttributes } from "../../fs/shared/attributes.ts";
import { openForReading, readPart, writeWhole } from "../../fs/shared/content.ts";
import { besideName, clearBeside, makeFile } from "../../fs/shared/new-file.ts";
import { isThe, type OpenSlot, restoreTimes, SlotImage, slotImage, statusAt, syncFolder, withSlot } from "../../fs/shared/slot.ts";
import { namesIn } from "../../fs/shared/walk.ts";

const KeptArchive = z.lazy(() => z.strictObject({ name: z.string(), kept: KeptFile, attributes: KeptAttributes }));
const Held = z.lazy(() => z.strictObject({ size_bytes: z.number().int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }));
type Held = z.infer<typeof Held>;
export const LogImage = z.lazy(() =>
  z.strictObject({
    slot: SlotImage,
    archive: z.string(),
    /** What the log held. */
    held: Held,
    attributes: KeptAttributes,
    /** Archives that go, as there would be too many. */
    dropped: z.array(KeptArchive),
  }),
);
export type LogImage = z.infer<typeof LogImage>;

/** `web.log.20260102T030405Z.zst` */
const stamp = /\.(\d{8}T\d{6}Z)\.zst$/;

function stampOf(now_ms: number): string {
  return new Date(now_ms).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Archives of a log, the newest first. */
export function archivesOf({ sys }: Pick<Context, "sys">, { folder, name }: Pick<Occupied, "folder" | "name">): string[] {
  return namesIn(sys, folder)
    .map(String)
    .filter((one) => one.startsWith(name) && stamp.exec(one.slice(name.length))?.index === 0)
    .sort()
    .reverse();
}

/** When an archive was made, milliseconds since 1970. */
export function archivedAt(name: string): number {
  const [, year, month, day, hour, minute, second] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.zst$/.exec(name) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** @param keep archives that may be there afterwards, the new one among them */
export async function logImage(context: Context, place: Occupied, keep: number): Promise<LogImage> {
  const { sys, images, clock, signal } = context;
  const archive = `${place.name}.${stampOf(clock.now_ms())}.zst`;
  const held = await heldBy(context, place.fd, signal);
  const dropped: z.infer<typeof KeptArchive>[] = [];
  for (const name of archivesOf(context, place).slice(Math.max(0, keep - 1))) {
    const fd = sys.file.open(place.folder, name, ["read", "nofollow"]);
    try {
      dropped.push({ name, attributes: readAttributes(sys, fd), kept: await images.keepFile(fd, "link-or-copy") });
    } finally {
      sys.descriptor.close(fd);
    }
  }
  return { slot: slotImage(sys, place), archive, held, attributes: readAttributes(sys, place.fd), dropped };
}

async function heldBy({ sys }: Context, path: number, signal: AbortSignal): Promise<Held> {
  const log = openForReading(sys, path);
  try {
    const { size } = fstatSync(log);
    return { size_bytes: size, sha256: digestOf(log, size, signal) };
  } finally {
    sys.descriptor.close(log);
  }
}

/** Times that a log may grow while it is compressed. */
const tries_max = 16;

interface Rotated {
  readonly archive: string;
  readonly size_bytes: number;
  readonly archive_bytes: number;
}

/** @throws {ToolError} */
export async function rotate(context: Context, place: Occupied, image: LogImage): Promise<Rotated> {
  const { sys, call, signal } = context;
  const { archive, attributes, dropped } = image;
  const beside = besideName(call, "new");
  const log = sys.file.reopen(place.fd, ["read-write"]);
  try {
    let size_bytes = 0;
    await makeFile(sys, place.folder, beside, async (fd) => {
      const { mode, uid, gid, extended } = attributes;
      const now = readAttributes(sys, fd);
      writeAttributes(sys, fd, { ...now, mode: mode & 0o777, uid, gid, extended });
      size_bytes = await compress(sys, log, fd, signal, place.path);
    });
    sys.file.rename(place.folder, beside, place.folder, archive, "noreplace");
    await syncFolder(sys, place.folder);
    if (fstatSync(log).size !== size_bytes)
      throw new ToolError(`rotating ${quote(place.path)} failed: it is written to all the time; try again when it rests`);
    sys.file.truncate(log, 0);
    await sys.file.sync(log);
    for (const { name } of dropped) sys.file.unlink(place.folder, name, "file");
    await syncFolder(sys, place.folder);
    return { archive, size_bytes, archive_bytes: sys.file.statusAt(place.folder, archive).size_bytes };
  } finally {
    sys.descriptor.close(log);
  }
}

/** All that is there when it ends, as frames one after the other (RFC 8878, 3.1). @returns how much that was */
async function compress(sys: Context["sys"], from: number, to: number, signal: AbortSignal, path: string): Promise<number> {
  let done = 0;
  for (let tries = 0; tries < tries_max; tries += 1) {
    const size = fstatSync(from).size;
    if (size === done) return done;
    if (size < done) throw new ToolError(`rotating ${quote(path)} failed: somebody else cut it meanwhile`);
    // descriptors of their own: the streams close what they are given, whatever becomes of them
    const source = createReadStream("", { fd: sys.file.reopen(from, ["read"]), start: done, end: size - 1 });
    const target = createWriteStream("", { fd: sys.file.reopen(to, ["read-write"]), start: fstatSync(to).size });
    await pipeline(source, createZstdCompress(), target, { signal });
    done = size;
  }
  return done;
}

/** @throws {ToolError} when the log is another file by now, or what it held is nowhere any more */
export function undoRotate(image: LogImage, call: string, context: Context): Promise<void> {
  const { sys, images, signal } = context;
  return withSlot(context, image.slot, async (slot) => {
    clearBeside(sys, slot.folder, besideName(call, "new"));
    for (const { name, kept, attributes } of image.dropped) {
      if (statusAt(sys, slot.folder, name) !== null) continue;
      const beside = besideName(call, "new");
      await makeFile(sys, slot.folder, beside, async (fd) => {
        await writeWhole(fd, images.read(kept));
        writeAttributes(sys, fd, attributes);
      });
      sys.file.rename(slot.folder, beside, slot.folder, name, "noreplace");
    }
    const log = openLog(slot, image, context);
    try {
      // one that was made is not wholly in the log yet, however the log begins
      const made = statusAt(sys, slot.folder, besideName(call, "undo")) !== null;
      if (made || !beginsWith(log, image.held, signal)) await putInFront(log, slot, image, call, context);
      const rests = fstatSync(log).size === image.held.size_bytes;
      writeAttributes(sys, log, rests ? image.attributes : { ...image.attributes, mtime_ns: String(sys.file.status(log).mtime_ns) });
      await sys.file.sync(log);
    } finally {
      sys.descriptor.close(log);
    }
    clearBeside(sys, slot.folder, besideName(call, "undo"));
    if (statusAt(sys, slot.folder, image.archive) !== null) sys.file.unlink(slot.folder, image.archive, "file");
    restoreTimes(sys, slot, image.slot);
    await syncFolder(sys, slot.folder);
  });
}

function openLog(slot: OpenSlot, { slot: { before } }: LogImage, { sys }: Context): number {
  if (!isThe(slot.now(), before)) throw new ToolError(`bringing ${quote(slot.path)} back failed: it was replaced by another file since`);
  return sys.file.open(slot.folder, slot.name, ["read-write", "nofollow"]);
}

function beginsWith(log: number, { size_bytes, sha256 }: Held, signal: AbortSignal): boolean {
  return fstatSync(log).size >= size_bytes && digestOf(log, size_bytes, signal) === sha256;
}

const piece_bytes = 1024 * 1024;

/** SHA-256 of the first bytes. */
function digestOf(log: number, size_bytes: number, signal: AbortSignal): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (let at = 0; at < size_bytes; at += piece_bytes) {
    signal.throwIfAborted();
    hasher.update(readPart(log, at, Math.min(piece_bytes, size_bytes - at)));
  }
  return hasher.digest("hex");
}

/** Made whole beside first, so that half of it in the log can be made whole again. */
async function putInFront(log: number, slot: OpenSlot, image: LogImage, call: string, { sys, signal }: Context): Promise<void> {
  const [made, making] = [besideName(call, "undo"), `${besideName(call, "undo")}.part`];
  clearBeside(sys, slot.folder, making);
  if (statusAt(sys, slot.folder, made) === null) {
    await makeFile(sys, slot.folder, making, async (fd) => {
      await unpack(slot, image, fd, sys, signal);
      await writeWhole(fd, readPart(log, 0, fstatSync(log).size));
    });
    sys.file.rename(slot.folder, making, slot.folder, made, "noreplace");
    await syncFolder(sys, slot.folder);
  }
  const fd = sys.file.open(slot.folder, made, ["read", "nofollow"]);
  try {
    sys.file.seek(log, 0, "start");
    await writeWhole(log, readPart(fd, 0, fstatSync(fd).size));
  } finally {
    sys.descriptor.close(fd);
  }
}

/** What the archive holds: all that was in the log when it was cut. @throws {ToolError} when it is gone, or is another one */
async function unpack(slot: OpenSlot, { archive, held }: LogImage, to: number, sys: Context["sys"], signal: AbortSignal): Promise<void> {
  const failed = `bringing ${quote(slot.path)} back failed: its archive ${quote(archive)}`;
  if (statusAt(sys, slot.folder, archive) === null) throw new ToolError(`${failed} is gone; put it back first`);
  // as above: the streams close what they are given whatever becomes of them
  const source = createReadStream("", { fd: sys.file.open(slot.folder, archive, ["read", "nofollow"]) });
  const target = createWriteStream("", { fd: sys.file.reopen(to, ["read-write"]) });
  try {
    await pipeline(source, createZstdDecompress(), target, { signal });
  } catch (error) {
    throw new ToolError(`${failed} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
  sys.file.seek(to, 0, "end");
  if (!beginsWith(to, held, signal)) throw new ToolError(`${failed} does not hold what the log held`);
}

/** @throws {ToolError} */
export function verifyUndoneRotate(image: LogImage, context: Context): Promise<void> {
  const { sys, signal } = context;
  return withSlot(context, image.slot, async (slot) => {
    const fail = (why: string): never => {
      throw new ToolError(`bringing ${quote(slot.path)} back failed: ${why}`);
    };
    const fd = sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
    const log = openForReading(sys, fd);
    try {
      if (!beginsWith(log, image.held, signal)) fail("it does not begin with what it held");
      const different = fstatSync(log).size === image.held.size_bytes ? differenceOf(sys, fd, image.attributes) : null;
      if (different !== null) fail(`it has ${different}`);
    } finally {
      sys.descriptor.close(log);
      sys.descriptor.close(fd);
    }
    if (statusAt(sys, slot.folder, image.archive) !== null) fail("its archive is still there");
    for (const { name } of image.dropped) if (statusAt(sys, slot.folder, name) === null) fail(`${quote(name)} is not there`);
  });
}
