/**
 * Folders on other mounts into which trees are renamed: `.aios-trash/<call>` at the root of the mount. A mount's root may
 * belong to somebody else, so the folder is only trusted when nobody but root can have made or can replace it.
 */

import { join } from "node:path";
import type { System } from "../../sys/system.ts";
import { readMounts } from "../paths/mounts.ts";
import { trash_name } from "../paths/place.ts";
import { ToolError } from "../tool.ts";

type Files = Pick<System, "file" | "descriptor">;

const group_or_others_may_write = 0o022;
const sticky = 0o1000;

/** The mount that holds `path`: its id, and where its root is. */
export function mountOf(sys: Files, path: string): { readonly id: number; readonly point: string } {
  const fd = sys.file.open("cwd", path, ["path", "nofollow"], ["no-magiclinks"]);
  try {
    const id = sys.file.status(fd).mount_id;
    const point = readMounts().find((mount) => mount.id === id)?.point;
    if (point === undefined) throw new ToolError(`finding the mount of "${path}" failed: it is not in this process's mount table`);
    return { id, point };
  } finally {
    sys.descriptor.close(fd);
  }
}

export function trashPath(point: string, call: string): string {
  return join(point, trash_name, call);
}

/** Makes the trash folder of this call at the root of a mount. @throws {ToolError} when it could not be trusted */
export function makeTrash(sys: Files, mount: { readonly id: number; readonly point: string }, call: string): void {
  const path = join(mount.point, trash_name);
  const refuse = (why: string): never => {
    throw new ToolError(`making the trash "${path}" failed: ${why}; what is removed there cannot be kept for undo`);
  };
  const root = sys.file.open("cwd", mount.point, ["path", "nofollow"], ["no-symlinks"]);
  try {
    const status = sys.file.status(root);
    if (status.mount_id !== mount.id || status.type !== "directory") refuse(`"${mount.point}" is not the root of that mount`);
    const others_write = (status.mode & group_or_others_may_write) !== 0 && (status.mode & sticky) === 0;
    if (status.uid !== 0 || others_write) refuse(`"${mount.point}" can be written by others than root, who could replace it`);
    makeFolder(sys, root, trash_name);
    const trash = sys.file.open(root, trash_name, ["path", "nofollow"], ["beneath", "no-symlinks"]);
    try {
      const own = sys.file.status(trash);
      const is_ours = own.type === "directory" && own.uid === 0 && (own.mode & 0o077) === 0 && own.mount_id === mount.id;
      if (!is_ours) refuse("something else has that name");
      makeFolder(sys, trash, call);
    } finally {
      sys.descriptor.close(trash);
    }
  } finally {
    sys.descriptor.close(root);
  }
}

function makeFolder(sys: Files, at: number, name: string): void {
  try {
    sys.file.makeFolder(at, name, 0o700);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
