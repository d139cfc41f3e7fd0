/**
 * A slot: a name in a folder, and what is in it. Most changes are a change of slots, each by one rename(2). A slot is found
 * again by the folder's path, and both by their inodes, so that nothing else is ever taken for it.
 */

import { z } from "zod";
import { isSysError } from "../../../../sys/errors.ts";
import type { At, FileStatus } from "../../../../sys/file/calls.ts";
import type { System } from "../../../../sys/system.ts";
import type { Context } from "../../../context.ts";
import { decodeName, encodeName, joinPath, quote } from "../../../paths/path-text.ts";
import type { Place } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { FileTypeField } from "./fields.ts";

/** An inode, told apart from one that gets its number later by when it was made. */
export const Identity = z.lazy(() => z.strictObject({ type: FileTypeField, inode: z.string(), btime_ns: z.string().nullable() }));
export type Identity = z.infer<typeof Identity>;

export const SlotImage = z.strictObject({
  folder: z.strictObject({ path: z.string(), identity: Identity, atime_ns: z.string(), mtime_ns: z.string() }),
  /** As `encodeName` gives it. */
  name: z.string(),
  /** What was in it; null: nothing. */
  before: Identity.nullable(),
});
export type SlotImage = z.infer<typeof SlotImage>;

export function identityOf({ type, inode, btime_ns }: FileStatus): Identity {
  return { type, inode: String(inode), btime_ns: btime_ns === null ? null : String(btime_ns) };
}

export function isThe(status: FileStatus | null, identity: Identity | null): boolean {
  if (status === null || identity === null) return status === null && identity === null;
  const { type, inode, btime_ns } = identityOf(status);
  return type === identity.type && inode === identity.inode && btime_ns === identity.btime_ns;
}

/** What is in it now. @throws {ToolError} when it is not what was resolved any more */
export function slotImage(sys: System, place: Place): SlotImage {
  const there = statusAt(sys, place.folder, place.name);
  if (!isThe(there, place.status === null ? null : identityOf(place.status)))
    throw new ToolError(`keeping what is at ${quote(place.path)} failed: it was changed meanwhile; try again`);
  const folder = sys.file.status(place.folder);
  const path = sys.file.pathOf(place.folder);
  return {
    folder: { path: encodeName(path), identity: identityOf(folder), atime_ns: String(folder.atime_ns), mtime_ns: String(folder.mtime_ns) },
    name: encodeName(Buffer.from(place.name)),
    before: there === null ? null : identityOf(there),
  };
}

/** A slot that was found again. */
export interface OpenSlot {
  readonly path: string;
  /** A `path` descriptor of the folder. */
  readonly folder: number;
  readonly name: Buffer;
  now(): FileStatus | null;
  close(): void;
}

/** @throws {ToolError} when its folder is not the same any more */
function openSlot({ sys }: Pick<Context, "sys">, { folder, name }: Pick<SlotImage, "folder" | "name">): OpenSlot {
  const path = joinPath(folder.path, name);
  const fail = (cause: string): ToolError => new ToolError(`going back to ${quote(path)} failed: ${cause}`);
  let fd: number;
  try {
    fd = sys.file.open("cwd", decodeName(folder.path), ["path", "directory"], ["no-symlinks"]);
  } catch (error) {
    throw fail(`its folder cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
  const status = sys.file.status(fd);
  if (!isThe(status, folder.identity)) {
    sys.descriptor.close(fd);
    throw fail("its folder was replaced by another one since; put the old one back first");
  }
  const bytes = decodeName(name);
  return { path, folder: fd, name: bytes, now: () => statusAt(sys, fd, bytes), close: () => sys.descriptor.close(fd) };
}

/** Gives the folder the times that it had, after the last change in it. */
export function restoreTimes(sys: System, slot: OpenSlot, { folder }: SlotImage): void {
  sys.file.setTimes(slot.folder, { atime_ns: BigInt(folder.atime_ns), mtime_ns: BigInt(folder.mtime_ns) });
}

export function statusAt(sys: System, folder: At, name: string | Uint8Array): FileStatus | null {
  try {
    return sys.file.statusAt(folder, name);
  } catch (error) {
    if (isSysError(error, "ENOENT")) return null;
    throw error;
  }
}

/** Makes what was renamed, linked or unlinked in a folder durable. @param folder a `path` descriptor */
export async function syncFolder(sys: System, folder: number): Promise<void> {
  const fd = sys.file.reopen(folder, ["read", "directory"]);
  try {
    await sys.file.sync(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}

/** Uses a slot and closes it. */
export async function withSlot<T>(ports: Pick<Context, "sys">, image: SlotImage, use: (slot: OpenSlot) => T | Promise<T>): Promise<T> {
  const slot = openSlot(ports, image);
  try {
    return await use(slot);
  } finally {
    slot.close();
  }
}
