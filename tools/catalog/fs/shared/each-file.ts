/**
 * Changing mode or owner of one file or of all in a tree, file by file. The before-image names each file with its inode and
 * what it had; it is kept as a file of its own when there are many.
 */

import { z } from "zod";
import type { FileStatus } from "../../../../sys/file/calls.ts";
import type { System } from "../../../../sys/system.ts";
import type { Context } from "../../../context.ts";
import { decodeName, encodeName, quote } from "../../../paths/path-text.ts";
import type { Occupied } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { KeptFile } from "../../../undo/images.ts";
import { readExtended, writeAttributes } from "./attributes.ts";
import { breathe, goOn } from "./failure.ts";
import { Identity, identityOf, isThe, SlotImage, slotImage, withSlot } from "./slot.ts";
import type { PlaceTarget } from "./target.ts";
import { depth_max, walk } from "./walk.ts";

const entries_max = 100_000;
const inline_max = 20;

const Entry = z.lazy(() =>
  z.strictObject({
    /** Names below the root, as `encodeName` gives them; none for the root itself. */
    names: z.array(z.string()),
    file: Identity,
    mode: z.number().int(),
    uid: z.number().int(),
    gid: z.number().int(),
    extended: z.record(z.string(), z.string()),
  }),
);
type Entry = z.infer<typeof Entry>;
const Entries = z.array(Entry);

export const EachImage = z.lazy(() => z.strictObject({ slot: SlotImage, entries: Entries, more: KeptFile.nullable() }));
export type EachImage = z.infer<typeof EachImage>;

/** What is changed is what the image knows: whatever comes meanwhile is left alone. */
export interface EachTarget extends PlaceTarget<Occupied> {
  readonly known: Set<bigint>;
}

/** What a change makes of a file: null leaves it alone. */
export type Change = (status: FileStatus) => { readonly mode: number; readonly uid: number; readonly gid: number } | null;

/** @throws {ToolError} when a file in the tree has names outside of it: they would be changed with it */
export async function eachImage(
  context: Context,
  { place, known: named }: EachTarget,
  recursive: boolean,
  change: Change,
  what: string,
): Promise<EachImage> {
  const entries: Entry[] = [];
  const names_seen = new Map<bigint, { readonly links: number; readonly path: string; seen: number }>();
  for await (const { names, status, fd, closed } of walk(context, place, { depth_max: recursive ? depth_max : 0, entries_max })) {
    if (!recursive && names.length > 0) break;
    const path = [place.path, ...names.map(String)].join("/");
    if (closed === "mount" || closed === "broker" || closed === "trash")
      throw new ToolError(`${what} failed: ${quote(path)} is ${closed === "mount" ? "another mount" : "the broker's"}; leave it out`);
    if (recursive && status.type !== "directory" && status.links > 1) {
      const known = names_seen.get(status.inode) ?? { links: status.links, path, seen: 0 };
      known.seen += 1;
      names_seen.set(status.inode, known);
    }
    if (change(status) !== null) {
      const { mode, uid, gid } = status;
      named.add(status.inode);
      entries.push({ names: names.map(encodeName), file: identityOf(status), mode, uid, gid, extended: readExtended(context.sys, fd) });
    }
  }
  for (const { links, path, seen } of names_seen.values())
    if (links > seen)
      throw new ToolError(
        `${what} failed: ${quote(path)} has ${links - seen} further names outside of the tree (hard links), which would change too`,
      );
  const slot = slotImage(context.sys, place);
  if (entries.length <= inline_max) return { slot, entries, more: null };
  return { slot, entries: [], more: await context.images.keepBytes(Buffer.from(JSON.stringify(entries))) };
}

/** @returns how many were changed */
export async function runEach(context: Context, { place, known }: EachTarget, recursive: boolean, change: Change): Promise<number> {
  const { sys } = context;
  let changed = 0;
  for await (const { names, status, fd } of walk(context, place, { depth_max: recursive ? depth_max : 0, entries_max })) {
    if (!recursive && names.length > 0) break;
    const wanted = change(status);
    if (wanted === null || !known.has(status.inode)) continue;
    if (status.uid !== wanted.uid || status.gid !== wanted.gid) sys.file.setOwner(fd, wanted.uid, wanted.gid);
    if (status.type !== "symlink" && sys.file.status(fd).mode !== wanted.mode) sys.file.setMode(fd, wanted.mode);
    changed += 1;
  }
  await flush(sys, place.folder);
  return changed;
}

/** @throws {ToolError} when a file is not as wanted */
export async function verifyEach(context: Context, place: Occupied, recursive: boolean, change: Change): Promise<void> {
  for await (const { names, status } of walk(context, place, { depth_max: recursive ? depth_max : 0, entries_max })) {
    if (!recursive && names.length > 0) break;
    const wanted = change(status);
    if (wanted === null) continue;
    const right = status.uid === wanted.uid && status.gid === wanted.gid && (status.type === "symlink" || status.mode === wanted.mode);
    if (!right && names.length === 0) throw new ToolError(`looking at ${quote(place.path)} failed: it is not as it was made`);
  }
}

export function undoEach(image: EachImage, context: Context): Promise<void> {
  const { sys } = context;
  return onEach(image, context, async (fd, entry, path) => {
    const status = sys.file.status(fd);
    if (!isThe(status, entry.file))
      throw new ToolError(`taking back the change of ${quote(path)} failed: it was replaced by another file since`);
    const { mode, uid, gid, extended } = entry;
    const times = { atime_ns: String(status.atime_ns), mtime_ns: String(status.mtime_ns) };
    writeAttributes(sys, fd, { mode, uid, gid, extended, ...times }, status.type === "symlink");
  });
}

export function verifyUndoneEach(image: EachImage, context: Context): Promise<void> {
  const { sys } = context;
  return onEach(image, context, async (fd, entry, path) => {
    const { mode, uid, gid, type } = sys.file.status(fd);
    const right = uid === entry.uid && gid === entry.gid && (type === "symlink" || mode === entry.mode);
    if (!right || !Bun.deepEquals(readExtended(sys, fd), entry.extended))
      throw new ToolError(`looking at ${quote(path)} after taking back its change failed: it is not as it was`);
  });
}

async function onEach(image: EachImage, context: Context, use: (fd: number, entry: Entry, path: string) => Promise<void>): Promise<void> {
  const { sys, images, signal } = context;
  const entries = image.more === null ? image.entries : Entries.parse(JSON.parse(Buffer.from(images.read(image.more)).toString()));
  await withSlot(context, image.slot, async (slot) => {
    for (const [index, entry] of entries.entries()) {
      if (index % 256 === 255) await breathe();
      goOn(signal);
      const path = [slot.path, ...entry.names].join("/");
      const name = Buffer.concat([slot.name, ...entry.names.flatMap((one) => [Buffer.from("/"), decodeName(one)])]);
      const fd = sys.file.open(slot.folder, name, ["path", "nofollow"], ["no-symlinks", "no-xdev"]);
      try {
        await use(fd, entry, path);
      } finally {
        sys.descriptor.close(fd);
      }
    }
    await flush(sys, slot.folder);
  });
}

async function flush(sys: System, folder: number): Promise<void> {
  const fd = sys.file.reopen(folder, ["read", "directory"]);
  try {
    await sys.file.syncAll(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}
