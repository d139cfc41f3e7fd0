/**
 * A file whose content is replaced as a whole, or that is made. The states, in order:
 *
 *   1. nothing done                                 the slot is as before
 *   2. the new file lies beside                     the slot is as before; a leftover, perhaps half written
 *   3. exchanged                                    the new file is in the slot, the old inode lies beside
 *   4. whole                                        the new file is in the slot, nothing lies beside
 *
 * Undo brings each of them to state 1; `settled` is state 4. The old inode is kept by a link where it can be (then it
 * comes back as itself), else by a copy with all its attributes.
 */

import { z } from "zod";
import { isSysError } from "../../../../sys/errors.ts";
import type { FileStatus } from "../../../../sys/file/calls.ts";
import type { System } from "../../../../sys/system.ts";
import type { Context } from "../../../context.ts";
import { quote, splitPath } from "../../../paths/path-text.ts";
import type { Place } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { KeptFile } from "../../../undo/images.ts";
import { differenceOf, KeptAttributes, readAttributes, writeAttributes } from "./attributes.ts";
import { copyContent, hashOf, openForReading, sha256, writeWhole } from "./content.ts";
import { besideName, clearBeside, exchangeIn, makeFile } from "./new-file.ts";
import { isThe, type OpenSlot, restoreTimes, SlotImage, slotImage, statusAt, syncFolder, withSlot } from "./slot.ts";

export const ReplaceImage = z.lazy(() =>
  z.strictObject({
    how: z.literal("replace"),
    slot: SlotImage,
    /** What was there; null when there was nothing. */
    old: z.strictObject({ kept: KeptFile, attributes: KeptAttributes }).nullable(),
    /** Of the new content: that is how an undo knows that nobody else has written since. */
    sha256: z.string(),
    size_bytes: z.number().int(),
  }),
);
export type ReplaceImage = z.infer<typeof ReplaceImage>;

export async function replaceImage({ sys, images }: Context, place: Place, content: Uint8Array): Promise<ReplaceImage> {
  const slot = slotImage(sys, place);
  return { how: "replace", slot, old: await keepOld(sys, images, place), sha256: sha256(content), size_bytes: content.length };
}

async function keepOld(sys: System, images: Context["images"], place: Place): Promise<ReplaceImage["old"]> {
  if (place.fd === null) return null;
  const attributes = readAttributes(sys, place.fd);
  const fd = openForReading(sys, place.fd);
  try {
    const only_name = sys.file.status(fd).links === 1;
    return { attributes, kept: await images.keepFile(fd, only_name ? "link-or-copy" : "copy") };
  } finally {
    sys.descriptor.close(fd);
  }
}

/** @param attributes what the new file shall have; its times are those of now */
export async function runReplace({ sys, call }: Context, place: Place, content: Uint8Array, attributes: KeptAttributes): Promise<void> {
  const beside = besideName(call, "new");
  await makeFile(sys, place.folder, beside, async (fd) => {
    await writeWhole(fd, content);
    const { atime_ns, mtime_ns } = sys.file.status(fd);
    writeAttributes(sys, fd, { ...attributes, atime_ns: String(atime_ns), mtime_ns: String(mtime_ns) });
  });
  try {
    await exchangeIn(sys, place, beside);
  } finally {
    clearBeside(sys, place.folder, beside);
  }
  await syncFolder(sys, place.folder);
}

/** @throws {ToolError} unless the slot holds the new content */
export async function verifyReplace({ sys, signal }: Context, place: Place, digest: string): Promise<void> {
  const status = statusAt(sys, place.folder, place.name);
  if (status?.type !== "file" || (await digestAt(sys, place.folder, place.name, signal)) !== digest)
    throw new ToolError(`looking at ${quote(place.path)} failed: it does not hold what was written`);
}

export function replaceSettled(image: ReplaceImage, context: Context, call: string): Promise<boolean> {
  return withSlot(context, image.slot, async (slot) => {
    const beside = statusAt(context.sys, slot.folder, besideName(call, "new"));
    return beside === null && (await isOurs(context, slot, slot.now(), image));
  });
}

export function undoReplace(image: ReplaceImage, context: Context, call: string): Promise<void> {
  const { sys } = context;
  return withSlot(context, image.slot, async (slot) => {
    await takeOldFromBeside(image, context, slot, besideName(call, "new"));
    clearBeside(sys, slot.folder, besideName(call, "new"));
    clearBeside(sys, slot.folder, besideName(call, "undo"));
    const now = slot.now();
    if (!(await isBefore(context, slot, now, image))) {
      if (now !== null && !(await isOurs(context, slot, now, image)))
        throw new ToolError(`taking back ${quote(slot.path)} failed: it was changed by something else since; keep that first`);
      if (image.old !== null) await putOldBack(image.old, context, slot, besideName(call, "undo"));
      else if (now !== null) sys.file.unlink(slot.folder, slot.name, "file");
    }
    const back = slot.now();
    if (back !== null && isThe(back, image.slot.before)) dropLink(image, context, back);
    if (image.old !== null) withFileAt(sys, slot, (fd) => writeAttributes(sys, fd, image.old?.attributes ?? readAttributes(sys, fd)));
    restoreTimes(sys, slot, image.slot);
    await syncFolder(sys, slot.folder);
  });
}

export function verifyUndoneReplace(image: ReplaceImage, context: Context): Promise<void> {
  return withSlot(context, image.slot, async (slot) => {
    const what = `looking at ${quote(slot.path)} after taking it back failed`;
    const now = slot.now();
    if (!(await isBefore(context, slot, now, image))) throw new ToolError(`${what}: it is not what it was`);
    const { old } = image;
    const difference = old === null ? null : withFileAt(context.sys, slot, (fd) => differenceOf(context.sys, fd, old.attributes));
    if (difference !== null) throw new ToolError(`${what}: ${difference}`);
  });
}

/** State 3: the very inode still lies beside. */
async function takeOldFromBeside(image: ReplaceImage, context: Context, slot: OpenSlot, beside: string): Promise<void> {
  const { sys } = context;
  if (image.slot.before === null || !isThe(statusAt(sys, slot.folder, beside), image.slot.before)) return;
  const now = slot.now();
  if (now !== null && !(await isOurs(context, slot, now, image))) return;
  sys.file.rename(slot.folder, beside, slot.folder, slot.name, "replace");
}

/** The very inode, or a copy of it that an earlier undo has made. */
async function isBefore({ sys, signal }: Context, slot: OpenSlot, now: FileStatus | null, image: ReplaceImage): Promise<boolean> {
  const { before } = image.slot;
  if (isThe(now, before)) return true;
  if (before === null || now === null || image.old === null || now.type !== "file") return false;
  const { size_bytes, sha256: digest } = image.old.kept;
  if (now.size_bytes !== size_bytes || String(now.mtime_ns) !== image.old.attributes.mtime_ns) return false;
  return digest === null || (await digestAt(sys, slot.folder, slot.name, signal)) === digest;
}

async function isOurs({ sys, signal }: Context, slot: OpenSlot, now: FileStatus | null, image: ReplaceImage): Promise<boolean> {
  if (now?.type !== "file" || now.size_bytes !== image.size_bytes || isThe(now, image.slot.before)) return false;
  return (await digestAt(sys, slot.folder, slot.name, signal)) === image.sha256;
}

async function putOldBack(old: NonNullable<ReplaceImage["old"]>, context: Context, slot: OpenSlot, beside: string): Promise<void> {
  const { sys, images, signal } = context;
  const path = images.pathOf(old.kept);
  if (old.kept.by === "link" && renamedFrom(sys, path, slot)) return;
  const from = sys.file.open("cwd", path, ["read"], ["no-symlinks"]);
  try {
    await makeFile(sys, slot.folder, beside, async (fd) => {
      await copyContent(sys, from, fd, signal);
      writeAttributes(sys, fd, old.attributes);
    });
  } finally {
    sys.descriptor.close(from);
  }
  sys.file.rename(slot.folder, beside, slot.folder, slot.name, "replace");
}

/** The very inode is back: a second name for it in the image store would only be counted as a hard link. */
function dropLink({ old }: ReplaceImage, { sys, images }: Context, { links }: FileStatus): void {
  if (old?.kept.by !== "link" || links === 1) return;
  const { folder, name } = splitPath(images.pathOf(old.kept));
  const fd = sys.file.open("cwd", folder, ["path", "directory"]);
  clearBeside(sys, fd, name);
  sys.descriptor.close(fd);
}

/** False when the image store is on another mount. */
function renamedFrom(sys: System, path: string, slot: OpenSlot): boolean {
  const { folder, name } = splitPath(path);
  const fd = sys.file.open("cwd", folder, ["path", "directory"]);
  try {
    sys.file.rename(fd, name, slot.folder, slot.name, "replace");
    return true;
  } catch (error) {
    if (isSysError(error, "EXDEV")) return false;
    throw error;
  } finally {
    sys.descriptor.close(fd);
  }
}

function withFileAt<T>(sys: System, slot: OpenSlot, use: (fd: number) => T): T {
  const fd = sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
  try {
    return use(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}

async function digestAt(sys: System, folder: number, name: string | Uint8Array, signal: AbortSignal): Promise<string> {
  const path = sys.file.open(folder, name, ["path", "nofollow"]);
  try {
    const fd = openForReading(sys, path);
    try {
      return await hashOf(fd, "sha256", signal);
    } finally {
      sys.descriptor.close(fd);
    }
  } finally {
    sys.descriptor.close(path);
  }
}
