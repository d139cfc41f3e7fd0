/**
 * A tree that is made beside a slot and put into it. The states, in order:
 *
 *   1. nothing done
 *   2. a part of the tree lies beside           the slot is as before
 *   3. exchanged (only when it replaces)        the tree is in the slot, what was there lies beside
 *   4. whole                                    the tree is in the slot, what was there is in the trash
 */

import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import type { Place } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { removeTree } from "./copy-tree.ts";
import { besideName, exchangeIn } from "./new-file.ts";
import { identityOf, isThe, type OpenSlot, restoreTimes, type SlotImage, statusAt, syncFolder, withSlot } from "./slot.ts";
import { fromTrash, isInTrash, toTrash } from "./trash.ts";
import { fingerprintOf } from "./whole-tree.ts";

/** Makes a tree beside and puts it in its place. When making it fails, nothing is left. */
export async function putTree(context: Context, place: Place, make: (beside: string) => Promise<void>): Promise<void> {
  const { sys, call } = context;
  const beside = besideName(call, "new");
  try {
    await make(beside);
    await exchangeIn(sys, place, beside);
  } catch (error) {
    await removeTree(sys, place.folder, beside);
    throw error;
  }
  if (place.status !== null) await toTrash(context, { folder: place.folder, name: beside, path: place.path }, identityOf(place.status));
}

export function treeSettled(image: SlotImage, context: Context, call: string): Promise<boolean> {
  return withSlot(context, image, async (slot) => {
    const beside = statusAt(context.sys, slot.folder, besideName(call, "new"));
    const displaced = image.before === null || (await isInTrash(context, slot.path, image.before));
    const now = slot.now();
    return beside === null && displaced && now !== null && !isThe(now, image.before);
  });
}

/** @param fingerprint of the tree as it was made; null after a crash, when nobody has had it since */
export function undoTree(image: SlotImage, context: Context, call: string, fingerprint: string | null): Promise<void> {
  const { sys } = context;
  return withSlot(context, image, async (slot) => {
    const beside = besideName(call, "new");
    if (image.before !== null && isThe(statusAt(sys, slot.folder, beside), image.before)) {
      if (slot.now() === null) sys.file.rename(slot.folder, beside, slot.folder, slot.name, "noreplace");
      else sys.file.rename(slot.folder, beside, slot.folder, slot.name, "exchange");
    }
    await removeTree(sys, slot.folder, beside);
    if (!isThe(slot.now(), image.before)) await takeOut(image, context, slot, fingerprint);
    restoreTimes(sys, slot, image);
    await syncFolder(sys, slot.folder);
  });
}

/** State 4. */
async function takeOut({ before }: SlotImage, context: Context, slot: OpenSlot, fingerprint: string | null): Promise<void> {
  const now = slot.now();
  if (now !== null) {
    if (fingerprint !== null && (await fingerprintAt(context, slot)) !== fingerprint)
      throw new ToolError(`taking back ${quote(slot.path)} failed: something in it was changed since; keep that elsewhere and remove it`);
    await toTrash(context, slot, identityOf(now));
  }
  if (before !== null && !(await fromTrash(context, slot, before)))
    throw new ToolError(`bringing back ${quote(slot.path)} failed: what was there before is not in the trash any more`);
}

export function verifyUndoneTree(image: SlotImage, context: Context): Promise<void> {
  return withSlot(context, image, (slot) => {
    if (!isThe(slot.now(), image.before))
      throw new ToolError(`looking at ${quote(slot.path)} after taking it back failed: it is not what it was`);
  });
}

async function fingerprintAt(context: Context, slot: OpenSlot): Promise<string> {
  const fd = context.sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
  try {
    return await fingerprintOf(context, { fd, path: slot.path });
  } finally {
    context.sys.descriptor.close(fd);
  }
}

/** Of what is in a place now. */
export async function fingerprintIn(context: Context, place: Place): Promise<string> {
  return fingerprintAt(context, {
    path: place.path,
    folder: place.folder,
    name: Buffer.from(place.name),
    now: () => null,
    close: () => {},
  });
}
