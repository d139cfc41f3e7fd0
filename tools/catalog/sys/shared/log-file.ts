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
 * Undo brings each of them to state 1, with what was written since behind it.
 */

import { createReadStream, createWriteStream, fstatSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { z } from "zod";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import type { Occupied } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { KeptFile } from "../../../undo/images.ts";
import { differenceOf, KeptAttributes, readAttributes, writeAttributes } from "../../fs/shared/attributes.ts";
import { hashOf, openForReading, readPart, writeWhole } from "../../fs/shared/content.ts";
import { besideName, clearBeside, makeFile } from "../../fs/shared/new-file.ts";
import { isThe, type OpenSlot, restoreTimes, SlotImage, slotImage, statusAt, syncFolder, withSlot } from "../../fs/shared/slot.ts";
import { namesIn } from "../../fs/shared/walk.ts";

const KeptArchive = z.strictObject({ name: z.string(), kept: KeptFile, attributes: KeptAttributes });
export const LogImage = z.strictObject({
  slot: SlotImage,
  archive: z.string(),
  kept: KeptFile,
  attributes: KeptAttributes,
  /** Archives that go, as there would be too many. */
  dropped: z.array(KeptArchive),
});
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
  const { sys, images, clock } = context;
  const archive = `${place.name}.${stampOf(clock.now_ms())}.zst`;
  const kept = await images.keepFile(place.fd, "copy");
  const dropped: z.infer<typeof KeptArchive>[] = [];
  for (const name of archivesOf(context, place).slice(Math.max(0, keep - 1))) {
    const fd = sys.file.open(place.folder, name, ["read", "nofollow"]);
    try {
      dropped.push({ name, attributes: readAttributes(sys, fd), kept: await images.keepFile(fd, "link-or-copy") });
    } finally {
      sys.descriptor.close(fd);
    }
  }
  return { slot: slotImage(sys, place), archive, kept, attributes: readAttributes(sys, place.fd), dropped };
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
      size_bytes = await compress(log, fd, signal, place.path);
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
async function compress(from: number, to: number, signal: AbortSignal, path: string): Promise<number> {
  let done = 0;
  for (let tries = 0; tries < tries_max; tries += 1) {
    const size = fstatSync(from).size;
    if (size === done) return done;
    if (size < done) throw new ToolError(`rotating ${quote(path)} failed: somebody else cut it meanwhile`);
    const [source, target] = [
      createReadStream("", { fd: from, autoClose: false, start: done, end: size - 1 }),
      createWriteStream("", { fd: to, autoClose: false }),
    ];
    await pipeline(source, createZstdCompress(), target, { signal });
    done = size;
  }
  return done;
}

/** @throws {ToolError} when the log is another file by now */
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
      if (!(await beginsWith(log, image.kept, signal))) await putInFront(log, slot, image, call, context);
      const rests = fstatSync(log).size === image.kept.size_bytes;
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

async function beginsWith(log: number, { size_bytes, sha256 }: KeptFile, signal: AbortSignal): Promise<boolean> {
  const size = fstatSync(log).size;
  if (size < size_bytes) return false;
  if (size === size_bytes) return (await hashOf(log, "sha256", signal)) === sha256;
  return new Bun.CryptoHasher("sha256").update(readPart(log, 0, size_bytes)).digest("hex") === sha256;
}

/** Made whole beside first, so that half of it in the log can be made whole again. */
async function putInFront(log: number, slot: OpenSlot, { kept }: LogImage, call: string, { sys, images }: Context): Promise<void> {
  const [made, making] = [besideName(call, "undo"), `${besideName(call, "undo")}.part`];
  clearBeside(sys, slot.folder, making);
  if (statusAt(sys, slot.folder, made) === null) {
    await makeFile(sys, slot.folder, making, async (fd) => {
      await writeWhole(fd, images.read(kept));
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
      if (!(await beginsWith(log, image.kept, signal))) fail("it does not begin with what it held");
      const different = fstatSync(log).size === image.kept.size_bytes ? differenceOf(sys, fd, image.attributes) : null;
      if (different !== null) fail(`it has ${different}`);
    } finally {
      sys.descriptor.close(log);
      sys.descriptor.close(fd);
    }
    if (statusAt(sys, slot.folder, image.archive) !== null) fail("its archive is still there");
    for (const { name } of image.dropped) if (statusAt(sys, slot.folder, name) === null) fail(`${quote(name)} is not there`);
  });
}
