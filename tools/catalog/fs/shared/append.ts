/** A file that grows in place. Undo cuts it to the size that it had, unless somebody else has written behind. */

import { z } from "zod";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import type { Occupied } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { differenceOf, KeptAttributes, readAttributes, writeAttributes } from "./attributes.ts";
import { openForReading, readPart, sha256, writeWhole } from "./content.ts";
import { isThe, type OpenSlot, SlotImage, slotImage, withSlot } from "./slot.ts";

export const AppendImage = z.lazy(() =>
  z.strictObject({
    how: z.literal("append"),
    slot: SlotImage,
    attributes: KeptAttributes,
    size_bytes: z.number().int(),
    /** Of what comes behind. */
    added_bytes: z.number().int(),
    added_sha256: z.string(),
  }),
);
export type AppendImage = z.infer<typeof AppendImage>;

export function appendImage({ sys }: Context, place: Occupied, content: Uint8Array): AppendImage {
  const status = sys.file.status(place.fd);
  return {
    how: "append",
    slot: slotImage(sys, place),
    attributes: readAttributes(sys, place.fd, status),
    size_bytes: status.size_bytes,
    added_bytes: content.length,
    added_sha256: sha256(content),
  };
}

/** @throws {SysError} ENOSPC; then a part may be there, which undo cuts off */
export async function runAppend({ sys }: Context, place: Occupied, content: Uint8Array): Promise<void> {
  const fd = sys.file.reopen(place.fd, ["write", "append", "nonblock"]);
  try {
    await writeWhole(fd, content);
    await sys.file.sync(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}

/** Whether what was added stands at the end. */
export function appendSettled(image: AppendImage, context: Context): Promise<boolean> {
  return withSlot(context, image.slot, (slot) => {
    const now = slot.now();
    if (!isThe(now, image.slot.before) || now?.size_bytes !== image.size_bytes + image.added_bytes) return false;
    return tailDigest(context, slot, image) === image.added_sha256;
  });
}

export async function undoAppend(image: AppendImage, context: Context): Promise<void> {
  const { sys } = context;
  await withSlot(context, image.slot, async (slot) => {
    const fail = (cause: string): ToolError => new ToolError(`taking back what was added to ${quote(slot.path)} failed: ${cause}`);
    const now = slot.now();
    if (now === null || !isThe(now, image.slot.before)) throw fail("it was replaced by another file since; put that away first");
    if (now.size_bytes < image.size_bytes) throw fail("it was cut shorter since, so that its old content is not there any more");
    const added = now.size_bytes - image.size_bytes;
    const ours = added < image.added_bytes || (added === image.added_bytes && tailDigest(context, slot, image) === image.added_sha256);
    if (!ours) throw fail("something else was written behind it since; keep that first");
    const path = sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
    const fd = sys.file.reopen(path, ["write"]);
    try {
      if (added > 0) sys.file.truncate(fd, image.size_bytes);
      writeAttributes(sys, path, image.attributes);
      await sys.file.sync(fd);
    } finally {
      sys.descriptor.close(fd);
      sys.descriptor.close(path);
    }
  });
}

export function verifyUndoneAppend(image: AppendImage, context: Context): Promise<void> {
  return withSlot(context, image.slot, (slot) => {
    const path = context.sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
    const size_bytes = slot.now()?.size_bytes;
    const difference = differenceOf(context.sys, path, image.attributes);
    context.sys.descriptor.close(path);
    if (size_bytes !== image.size_bytes || difference !== null)
      throw new ToolError(`looking at ${quote(slot.path)} after taking it back failed: ${difference ?? `it has ${size_bytes} bytes`}`);
  });
}

function tailDigest({ sys }: Context, slot: OpenSlot, image: AppendImage): string {
  const path = sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
  const fd = openForReading(sys, path);
  try {
    return sha256(readPart(fd, image.size_bytes, image.added_bytes));
  } finally {
    sys.descriptor.close(fd);
    sys.descriptor.close(path);
  }
}
