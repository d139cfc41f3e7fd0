/**
 * Resolving. A place is found once, by the kernel, and then held by descriptors: whoever swaps folders or links afterwards
 * changes what a path means, not what the place is.
 */

import { isSysError, SysError } from "../../sys/errors.ts";
import type { FileStatus } from "../../sys/file/calls.ts";
import type { System } from "../../sys/system.ts";
import type { Context } from "../context.ts";
import { ToolError } from "../tool.ts";
import { aliasesOf, type Mount, mountsNow } from "./mounts.ts";
import { checkPath, isWithin, joinPath, quote, splitPath, textOf } from "./path-text.ts";

export interface Place {
  /** By the kernel: absolute, no links, no dots. */
  readonly path: string;
  /** `path` first, then the names under which other mounts show it. */
  readonly names: readonly string[];
  /** A `path` descriptor of the folder that holds it. */
  readonly folder: number;
  /** Its name in that folder; `.` for `/`. */
  readonly name: string;
  /** A `path` descriptor of what is there, and its status when it was resolved; null when there was nothing. */
  readonly fd: number | null;
  readonly status: FileStatus | null;
  readonly mount: Mount;
  close(): void;
}

/** A place where something is. */
export interface Occupied extends Place {
  readonly fd: number;
  readonly status: FileStatus;
}

/** What a link at the end of the path means. */
type FinalLink = "follow" | "itself";

type Ports = Pick<Context, "sys" | "places">;

/** Trees of what was removed, one at the root of each mount that needs one (`undo/images.ts`). */
export const trash_name = ".aios-trash";

/** @throws {ToolError} when there is nothing, or when it cannot be reached */
export function openExisting(ports: Ports, path: string, link: FinalLink): Occupied {
  const place = openPlace(ports, path, link);
  if (isOccupied(place)) return place;
  place.close();
  throw new ToolError(`resolving ${quote(path)} failed: there is nothing (ENOENT); list the folder ${quote(splitPath(place.path).folder)}`);
}

/** Something that is there, or the name in an existing folder that it would get. @throws {ToolError} */
export function openPlace(ports: Ports, path: string, link: FinalLink): Place {
  checkPath(path);
  const { file } = ports.sys;
  const opened: number[] = [];
  try {
    const rules = ["no-magiclinks"] as const;
    const fd = orMissing(() => file.open("cwd", path, link === "follow" ? ["path"] : ["path", "nofollow"], rules));
    if (fd !== null) {
      opened.push(fd);
      return guarded(ports, path, existing(ports, path, fd, opened));
    }
    return guarded(ports, path, missing(ports, path, opened));
  } catch (error) {
    for (const one of opened) ports.sys.descriptor.close(one);
    throw explained(path, error);
  }
}

export function isOccupied(place: Place): place is Occupied {
  return place.fd !== null;
}

/** Whether two statuses are of the same file. */
export function isSame(a: Pick<FileStatus, "device" | "inode">, b: Pick<FileStatus, "device" | "inode">): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** How often a name may change under our hands before we give up. */
const tries_max = 16;

function existing(ports: Ports, path: string, fd: number, opened: number[]): Place {
  const { sys } = ports;
  const status = sys.file.status(fd);
  for (let tries = 0; tries < tries_max; tries++) {
    const named = canonical(sys, path, fd);
    const { folder: folder_path, name } = named === "/" ? { folder: "/", name: "." } : splitPath(named);
    const folder = orMissing(() => sys.file.open("cwd", folder_path, ["path", "directory"], ["no-symlinks", "no-magiclinks"]));
    if (folder === null) continue;
    const there = orMissing(() => sys.file.statusAt(folder, name));
    if (there !== null && isSame(there, status) && there.mount_id === status.mount_id) {
      opened.push(folder);
      return place(ports, { path: named, folder, name, fd, status, mount_id: status.mount_id });
    }
    sys.descriptor.close(folder);
  }
  throw new ToolError(`resolving ${quote(path)} failed: it is being moved about, or hidden below another mount; try again when it rests`);
}

function missing(ports: Ports, path: string, opened: number[]): Place {
  const { sys } = ports;
  const trimmed = path.replace(/\/+$/, "");
  const { folder: folder_path, name } = splitPath(trimmed);
  if (name === "" || name === "." || name === "..") throw new ToolError(`resolving ${quote(path)} failed: there is nothing (ENOENT)`);
  const folder = sys.file.open("cwd", folder_path, ["path", "directory"], ["no-magiclinks"]);
  opened.push(folder);
  const there = orMissing(() => sys.file.statusAt(folder, name));
  if (there?.type === "symlink")
    throw new ToolError(
      `resolving ${quote(path)} failed: it is a symbolic link that leads nowhere; remove the link or make what it points to`,
    );
  if (there !== null) throw new ToolError(`resolving ${quote(path)} failed: it came into being meanwhile; try again`);
  const named = joinPath(canonical(sys, folder_path, folder), name);
  return place(ports, { path: named, folder, name, fd: null, status: null, mount_id: sys.file.status(folder).mount_id });
}

type Found = Pick<Place, "path" | "folder" | "name" | "fd" | "status"> & { readonly mount_id: number };

function place({ sys, places }: Ports, found: Found): Place {
  const { mount_id, ...rest } = found;
  // where the broker itself mounts what a running program is given (`exec/stage.ts`); the folder is root's alone
  const stages = `${places.run}/broker/exec`;
  const mounts = mountsNow(sys);
  const mount = mounts.find(({ id }) => id === mount_id);
  if (mount === undefined || !isWithin(found.path, mount.point))
    throw new ToolError(`resolving ${quote(found.path)} failed: it is on a mount of which the mount table knows nothing; try again`);
  let closed = false;
  return {
    ...rest,
    mount,
    names: [found.path, ...aliasesOf(found.path, mount, mounts).filter((name) => !isWithin(name, stages) && isReal(sys, name, found))],
    close() {
      if (closed) return;
      closed = true;
      sys.descriptor.close(found.folder);
      if (found.fd !== null) sys.descriptor.close(found.fd);
    },
  };
}

/** Whether the name leads to the very file, or to a place in the very folder. */
function isReal(sys: System, name: string, found: Found): boolean {
  const wanted = found.status ?? sys.file.status(found.folder);
  try {
    const path = found.status === null ? splitPath(name).folder : name;
    const fd = sys.file.open("cwd", path, ["path", "nofollow"], ["no-symlinks", "no-magiclinks"]);
    try {
      return isSame(sys.file.status(fd), wanted);
    } finally {
      sys.descriptor.close(fd);
    }
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

function canonical(sys: System, path: string, fd: number): string {
  const named = textOf(sys.file.pathOf(fd));
  if (named === null)
    throw new ToolError(`resolving ${quote(path)} failed: its name or that of a folder above is not UTF-8, so no policy could match it`);
  if (!named.startsWith("/")) throw new ToolError(`resolving ${quote(path)} failed: it is outside of the root; no policy could match it`);
  return named;
}

/** What no policy can allow. */
function guarded(ports: Ports, path: string, found: Place): Place {
  const refuse = (cause: string): never => {
    throw new ToolError(`resolving ${quote(path)} failed: ${cause}`);
  };
  const own = brokerFolder(ports);
  for (const name of found.names) {
    if (isWithin(name, own)) refuse("it belongs to the broker, which no tool may touch");
    if (name.split("/").includes(trash_name)) refuse("it holds what was removed; take the call back with undo instead");
  }
  if (found.mount.type === "proc" && /\/(mem|kcore)$/.test(found.path)) refuse("it is the memory of a process or of the kernel");
  return found;
}

/** It is nobody's to move: no tool reaches it. */
const own_folders = new WeakMap<Context["places"], string>();

/** The broker's own folder as the kernel names it. */
export function brokerFolder({ sys, places }: Ports): string {
  const known = own_folders.get(places);
  if (known !== undefined) return known;
  const fd = orMissing(() => sys.file.open("cwd", places.broker, ["path", "directory"]));
  if (fd === null) return places.broker;
  try {
    const named = canonical(sys, places.broker, fd);
    own_folders.set(places, named);
    return named;
  } finally {
    sys.descriptor.close(fd);
  }
}

function orMissing<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (isSysError(error, "ENOENT")) return null;
    throw error;
  }
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: "a folder on its way does not exist (ENOENT); list the folders above it, or make it with fs.mkdir",
  ENOTDIR: "something on its way is no folder (ENOTDIR); list the folders above it",
  ELOOP: "there is a circle of links on its way, or a magic link of /proc, which is never followed (ELOOP); give the real path",
  EACCES: "a folder on its way may not be entered (EACCES)",
  ENAMETOOLONG: "a name in it is longer than 255 bytes (ENAMETOOLONG)",
};

function explained(path: string, error: unknown): unknown {
  if (!(error instanceof SysError)) return error;
  return new ToolError(`resolving ${quote(path)} failed: ${causes[error.code] ?? error.message}`, { cause: error });
}
