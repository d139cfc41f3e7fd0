/** Copying a tree by descriptors: blocks shared where the file system can, hard links inside the tree kept, everything on each file too. */

import { isSysError } from "../../../../sys/errors.ts";
import type { FileStatus } from "../../../../sys/file/calls.ts";
import type { System } from "../../../../sys/system.ts";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { isSame, type Occupied, trash_name } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { type KeptAttributes, readAttributes, writeAttributes } from "./attributes.ts";
import { copyContent, openForReading } from "./content.ts";
import { breathe, goOn } from "./failure.ts";
import { SpeciesNames } from "./fields.ts";
import { statusAt } from "./slot.ts";
import { depth_max, namesIn } from "./walk.ts";
import { tree_entries_max } from "./whole-tree.ts";

interface CopyOptions {
  /** Also setuid, setgid (of files) and file capabilities. */
  readonly privileges: boolean;
}

export interface Copied {
  entries: number;
  /** Of the files' sizes. */
  bytes: number;
  reflinked: number;
}

interface Copying extends Copied {
  readonly context: Pick<Context, "sys" | "places" | "signal">;
  readonly options: CopyOptions;
  readonly own: FileStatus | null;
  /** Where the copy begins, and the place in it of each file with several names. */
  readonly root: { readonly folder: number; readonly name: string };
  readonly linked: Map<bigint, Buffer>;
}

/** Between two of these many entries others have their turn. */
const breath = 64;

/** Copies `from` to a name in a folder where nothing is yet. What is there after a failure is the caller's to remove. */
export async function copyTree(
  context: Copying["context"],
  from: Occupied,
  folder: number,
  name: string,
  options: CopyOptions,
): Promise<Copied> {
  const own = statusAt(context.sys, "cwd", context.places.broker);
  const copying: Copying = { context, options, own, root: { folder, name }, linked: new Map(), entries: 0, bytes: 0, reflinked: 0 };
  await copyEntry(copying, from.fd, folder, [Buffer.from(name)], from.path);
  await syncAll(context.sys, folder);
  return { entries: copying.entries, bytes: copying.bytes, reflinked: copying.reflinked };
}

/** One flush for all of them: of each file alone it would take a journal's turn per file. */
async function syncAll(sys: System, folder: number): Promise<void> {
  const fd = sys.file.reopen(folder, ["read", "directory"]);
  try {
    await sys.file.syncAll(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}

/** @param at names from the root's folder down to the copy */
async function copyEntry(copying: Copying, from: number, folder: number, at: readonly Buffer[], path: string): Promise<void> {
  const { sys, signal } = copying.context;
  copying.entries += 1;
  if (copying.entries % breath === 0) await breathe();
  goOn(signal);
  const fail = (cause: string): never => {
    throw new ToolError(`copying ${quote(path)} failed: ${cause}`);
  };
  if (copying.entries > tree_entries_max) fail(`there are more than ${tree_entries_max} entries`);
  if (at.length > depth_max) fail(`it is more than ${depth_max} folders deep`);
  const status = sys.file.status(from);
  const name = at.at(-1) ?? Buffer.alloc(0);
  const kept = attributesOf(sys, from, status, copying.options);
  if (status.type === "directory") return copyFolder(copying, from, folder, at, path, kept);
  if (status.type === "symlink") {
    sys.file.symlink(sys.file.readLink(from, ""), folder, name);
    return withChild(sys, folder, name, (fd) => writeAttributes(sys, fd, kept, true));
  }
  if (status.type !== "file") fail(`it is ${SpeciesNames[status.type]}, which cannot be copied; leave it out or remove it first`);
  if (linkedBefore(copying, status, folder, name, at)) return;
  await copyFile(copying, from, folder, name, kept);
  copying.bytes += status.size_bytes;
}

async function copyFolder(
  copying: Copying,
  from: number,
  folder: number,
  at: readonly Buffer[],
  path: string,
  kept: KeptAttributes,
): Promise<void> {
  const { sys } = copying.context;
  const name = at.at(-1) ?? Buffer.alloc(0);
  sys.file.makeFolder(folder, name, 0o700);
  const to = sys.file.open(folder, name, ["path", "directory", "nofollow"]);
  try {
    for (const child of namesIn(sys, from)) {
      const child_path = `${path}/${child.toString()}`;
      const fd = sys.file.open(from, child, ["path", "nofollow"]);
      try {
        refuseForeign(copying, sys.file.status(fd), child, child_path);
        await copyEntry(copying, fd, to, [...at, child], child_path);
      } finally {
        sys.descriptor.close(fd);
      }
    }
    writeAttributes(sys, to, kept);
  } finally {
    sys.descriptor.close(to);
  }
}

function refuseForeign({ own }: Copying, status: FileStatus, name: Buffer, path: string): void {
  const cause = status.attributes.includes("mount-root")
    ? "it is another mount; copy it by itself"
    : (own !== null && isSame(status, own)) || name.equals(Buffer.from(trash_name))
      ? "it belongs to the broker"
      : null;
  if (cause !== null) throw new ToolError(`copying ${quote(path)} failed: ${cause}`);
}

async function copyFile(copying: Copying, from: number, folder: number, name: Buffer, kept: KeptAttributes): Promise<void> {
  const { sys, signal } = copying.context;
  const content = openForReading(sys, from);
  try {
    const to = sys.file.open(folder, name, ["read-write", "create", "exclusive"], [], 0o600);
    try {
      if ((await copyContent(sys, content, to, signal)) === "reflink") copying.reflinked += 1;
      writeAttributes(sys, to, kept);
    } finally {
      sys.descriptor.close(to);
    }
  } finally {
    sys.descriptor.close(content);
  }
}

/** A further name of a file that has been copied already becomes a further name of the copy. */
function linkedBefore(copying: Copying, status: FileStatus, folder: number, name: Buffer, at: readonly Buffer[]): boolean {
  if (status.links === 1) return false;
  const { sys } = copying.context;
  const first = copying.linked.get(status.inode);
  if (first === undefined) {
    copying.linked.set(status.inode, Buffer.concat(at.flatMap((one, index) => (index === 0 ? [one] : [Buffer.from("/"), one]))));
    return false;
  }
  const fd = sys.file.open(copying.root.folder, first, ["path", "nofollow"], ["no-symlinks", "beneath"]);
  try {
    sys.file.link(fd, folder, name);
    return true;
  } finally {
    sys.descriptor.close(fd);
  }
}

/** What an overlay notes for itself means something else elsewhere. */
const not_copied = /^trusted\.overlay\./;

function attributesOf(sys: System, fd: number, status: FileStatus, { privileges }: CopyOptions): KeptAttributes {
  const kept = readAttributes(sys, fd, status);
  const extended = Object.fromEntries(
    Object.entries(kept.extended).filter(([name]) => !not_copied.test(name) && (privileges || name !== "security.capability")),
  );
  return { ...kept, extended, mode: privileges || status.type === "directory" ? kept.mode : kept.mode & ~0o6000 };
}

function withChild<T>(sys: System, folder: number, name: Buffer, use: (fd: number) => T): T {
  const fd = sys.file.open(folder, name, ["path", "nofollow"]);
  try {
    return use(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}

/** Removes a tree for good: one that a call has made and not finished. */
export async function removeTree(sys: System, folder: number, name: string | Buffer): Promise<void> {
  const status = statusAt(sys, folder, name);
  if (status === null) return;
  if (status.type !== "directory") return sys.file.unlink(folder, name, "file");
  const fd = sys.file.open(folder, name, ["path", "directory", "nofollow"], ["no-xdev"]);
  try {
    for (const child of namesIn(sys, fd)) await removeTree(sys, fd, child);
  } finally {
    sys.descriptor.close(fd);
  }
  await breathe();
  try {
    sys.file.unlink(folder, name, "directory");
  } catch (error) {
    if (!isSysError(error, "ENOENT")) throw error;
  }
}
