/**
 * A tree as tests compare it: everything about every file in it that an undo has to bring back. What no program can set
 * (ctime, inode, birth) and what reading alone changes (atime) are left out.
 */

import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import type { FileStatus } from "../../sys/file/calls.ts";
import type { System } from "../../sys/system.ts";
import { encodeName } from "../paths/path-text.ts";
import { trash_name } from "../paths/place.ts";

export interface TreeEntry {
  readonly type: FileStatus["type"];
  readonly mode: string;
  readonly owner: string;
  readonly mtime_ns: string;
  readonly links: number;
  readonly node: string | null;
  /** Names and values in base64. */
  readonly attributes: Readonly<Record<string, string>>;
  /** SHA-256 of a file's content, the text of a link, the size of neither. */
  readonly content: string;
}

/** By path below `root`; the root itself is `.`. Links are not followed; trash is passed over. */
export function readTree(sys: System, root: string): Record<string, TreeEntry> {
  const entries: Record<string, TreeEntry> = {};
  const visit = (path: string, fd: number): void => {
    entries[path] = entryOf(sys, fd);
    if (entries[path].type !== "directory") return;
    const folder = sys.file.reopen(fd, ["read", "directory", "noatime"]);
    const names = sys.file.entries(folder).map(({ name }) => name);
    for (const name of names.sort(Buffer.compare)) {
      if (name.toString() === trash_name) continue;
      const child = sys.file.open(folder, name, ["path", "nofollow"]);
      visit(path === "." ? encodeName(name) : `${path}/${encodeName(name)}`, child);
      sys.descriptor.close(child);
    }
    sys.descriptor.close(folder);
  };
  const fd = sys.file.open("cwd", root, ["path", "nofollow"]);
  visit(".", fd);
  sys.descriptor.close(fd);
  return entries;
}

function entryOf(sys: System, fd: number): TreeEntry {
  const status = sys.file.status(fd);
  const names = sys.file.attributes(fd).sort();
  return {
    type: status.type,
    mode: status.mode.toString(8),
    owner: `${status.uid}:${status.gid}`,
    mtime_ns: String(status.mtime_ns),
    links: status.links,
    node: status.node,
    attributes: Object.fromEntries(names.map((name) => [name, sys.file.attribute(fd, name)?.toString("base64") ?? ""])),
    content: contentOf(sys, fd, status),
  };
}

function contentOf(sys: System, fd: number, { type }: FileStatus): string {
  if (type === "symlink") return encodeName(sys.file.readLink(fd, ""));
  if (type !== "file") return "";
  const hash = createHash("sha256");
  const content = sys.file.reopen(fd, ["read", "noatime"]);
  const chunk = Buffer.alloc(1024 * 1024);
  for (let length = readSync(content, chunk); length > 0; length = readSync(content, chunk)) hash.update(chunk.subarray(0, length));
  sys.descriptor.close(content);
  return hash.digest("hex");
}
