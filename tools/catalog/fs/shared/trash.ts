/** Where what is displaced goes: a folder of the call on the same mount, by one rename, under the number of its inode. */

import { isSysError } from "../../../../sys/errors.ts";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { ToolError } from "../../../tool.ts";
import { type Identity, isThe, type OpenSlot, statusAt, syncFolder } from "./slot.ts";

type Ports = Pick<Context, "sys" | "images">;

/** A slot as `Place` and `OpenSlot` have it. */
type Slot = Pick<OpenSlot, "folder" | "path"> & { readonly name: string | Buffer };

/** @throws {ToolError} when something else is in the slot by now: then it is left there */
export async function toTrash(ports: Ports, slot: Slot, wanted: Identity): Promise<void> {
  const { sys } = ports;
  await withTrash(ports, slot.path, async (trash) => {
    sys.file.rename(slot.folder, slot.name, trash, wanted.inode, "noreplace");
    if (!isThe(statusAt(sys, trash, wanted.inode), wanted)) {
      sys.file.rename(trash, wanted.inode, slot.folder, slot.name, "noreplace");
      throw new ToolError(`moving ${quote(slot.path)} away failed: it was exchanged meanwhile, and was left as it is; look again`);
    }
    await syncFolder(sys, slot.folder);
    await syncFolder(sys, trash);
  });
}

/** @returns false when it is not in the trash. @throws {SysError} EEXIST when the slot is taken */
export function fromTrash(ports: Ports, slot: Slot, wanted: Identity): Promise<boolean> {
  const { sys } = ports;
  return withTrash(ports, slot.path, async (trash) => {
    if (!isThe(statusAt(sys, trash, wanted.inode), wanted)) return false;
    try {
      sys.file.rename(trash, wanted.inode, slot.folder, slot.name, "noreplace");
    } catch (error) {
      if (!isSysError(error, "EEXIST")) throw error;
      throw new ToolError(`bringing back ${quote(slot.path)} failed: there is something else now; move that away first`);
    }
    await syncFolder(sys, slot.folder);
    await syncFolder(sys, trash);
    return true;
  });
}

export function isInTrash(ports: Ports, path: string, wanted: Identity): Promise<boolean> {
  return withTrash(ports, path, async (trash) => isThe(statusAt(ports.sys, trash, wanted.inode), wanted));
}

async function withTrash<T>({ sys, images }: Ports, path: string, use: (trash: number) => Promise<T>): Promise<T> {
  const trash = sys.file.open("cwd", images.folderFor(path), ["path", "directory", "nofollow"]);
  try {
    return await use(trash);
  } finally {
    sys.descriptor.close(trash);
  }
}
