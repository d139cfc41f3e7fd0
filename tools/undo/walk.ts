/**
 * Measuring and removing the trees that the store keeps, by descriptors: what is in a removed tree may still be held open by
 * a program that swaps folders for links, and file systems that were mounted in it are nobody's rubbish.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { SysError } from "../../sys/errors.ts";
import type { At, FileStatus, Name } from "../../sys/file/calls.ts";
import type { System } from "../../sys/system.ts";

type Files = Pick<System, "file" | "descriptor">;

const inside = ["beneath", "no-symlinks", "no-xdev"] as const;
/** Entries after which the event loop gets a turn. */
const pause_entries = 200;

/** Bytes on disk of everything at `name` in `folder`, mounts left out; 0 when there is nothing. */
export async function treeBytes(sys: Files, folder: string, name: string): Promise<number> {
  let bytes = 0;
  await inFolder(sys, folder, async (at) => {
    const add = ({ status }: Visited): void => {
      bytes += status.allocated_bytes;
    };
    await visit(sys, { at, name, callback: add, mounts: "skip", count: { entries: 0 } });
  });
  return bytes;
}

/** @throws {SysError} EXDEV where a file system is mounted in it, EPERM where a file is immutable: then a part is left */
export async function removeTree(sys: Files, folder: string, name: string): Promise<void> {
  await inFolder(sys, folder, async (at) => {
    const unlink = (visited: Visited): void =>
      sys.file.unlink(visited.at, visited.name, visited.status.type === "directory" ? "directory" : "file");
    await visit(sys, { at, name, callback: unlink, mounts: "refuse", count: { entries: 0 } });
  });
}

interface Visited {
  readonly at: At;
  readonly name: Name;
  readonly status: FileStatus;
}

interface Walk {
  readonly at: number;
  readonly name: Name;
  readonly callback: (visited: Visited) => void;
  readonly mounts: "skip" | "refuse";
  readonly count: { entries: number };
}

/** Calls back for each entry, what is in a folder before the folder. */
async function visit(sys: Files, walk: Walk): Promise<void> {
  const { at, name, callback, count } = walk;
  const status = orNull("ENOENT", () => sys.file.statusAt(at, name));
  if (status === null) return;
  count.entries += 1;
  if (count.entries % pause_entries === 0) await nextTurn();
  if (status.type === "directory") {
    const open = (): number => sys.file.open(at, name, ["read", "directory", "nofollow"], inside);
    const folder = walk.mounts === "skip" ? orNull("EXDEV", open) : open();
    if (folder === null) return;
    try {
      for (const entry of sys.file.entries(folder)) await visit(sys, { ...walk, at: folder, name: entry.name });
    } finally {
      sys.descriptor.close(folder);
    }
  }
  callback({ at, name, status });
}

/** Does nothing when the folder is not there. */
async function inFolder(sys: Files, folder: string, use: (at: number) => Promise<void>): Promise<void> {
  const at = orNull("ENOENT", () => sys.file.open("cwd", folder, ["path", "directory", "nofollow"], ["no-symlinks"]));
  if (at === null) return;
  try {
    await use(at);
  } finally {
    sys.descriptor.close(at);
  }
}

function orNull<T>(code: string, work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof SysError && error.code === code) return null;
    throw error;
  }
}
