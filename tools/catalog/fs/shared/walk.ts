/**
 * Through a tree by descriptors: folder by folder, names in the order of their bytes, parents before children. Links are not
 * followed, other mounts and what belongs to the broker are told and not entered. Whoever moves things about meanwhile
 * changes what is seen, never where we are.
 */

import { isSysError, SysError } from "../../../../sys/errors.ts";
import type { FileStatus } from "../../../../sys/file/calls.ts";
import type { System } from "../../../../sys/system.ts";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { isSame, type Occupied, trash_name } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { breathe, goOn } from "./failure.ts";
import { statusAt } from "./slot.ts";

export interface Step {
  /** Names from below the root of the walk down to this one; empty for the root itself. */
  readonly names: readonly Buffer[];
  readonly status: FileStatus;
  /** A `path` descriptor of it, open until the walk goes on. */
  readonly fd: number;
  /** Why a folder is not entered. */
  readonly closed: "mount" | "broker" | "trash" | "depth" | null;
}

interface WalkLimits {
  /** 1: what is in the folder itself. */
  readonly depth_max: number;
  /** Entries seen; beyond it the walk fails. */
  readonly entries_max: number;
}

/** As deep as descriptors allow; a path that the kernel would take has at most half of its 4096 bytes as folders. */
export const depth_max = 512;

/** Between two of these many entries others have their turn. */
const breath = 256;

type Ports = Pick<Context, "sys" | "places" | "signal">;

/** @throws {ToolError} when there is more than the limits allow, or when the call is over */
export async function* walk(ports: Ports, root: Pick<Occupied, "fd" | "path">, limits: WalkLimits): AsyncGenerator<Step> {
  const own = ownFolder(ports);
  const status = ports.sys.file.status(root.fd);
  yield { names: [], status, fd: root.fd, closed: null };
  if (status.type === "directory") yield* inside(ports, { fd: root.fd, names: [] }, limits, own, { seen: 0, root: root.path });
}

interface Progress {
  seen: number;
  readonly root: string;
}

type Folder = { readonly fd: number; readonly names: readonly Buffer[] };

async function* inside(ports: Ports, folder: Folder, limits: WalkLimits, own: FileStatus | null, progress: Progress): AsyncGenerator<Step> {
  const { sys, signal } = ports;
  const names = namesIn(sys, folder.fd);
  for (const name of names) {
    progress.seen += 1;
    if (progress.seen % breath === 0) await breathe();
    goOn(signal);
    if (progress.seen > limits.entries_max)
      throw new ToolError(
        `going through ${quote(progress.root)} failed: there are more than ${limits.entries_max} entries; take a part of it`,
      );
    const child = openChild(sys, folder.fd, name);
    if (child === null) continue; // went meanwhile
    try {
      const path = [...folder.names, name];
      const closed = closedFor(child, own, name, path.length, limits);
      yield { names: path, status: child.status, fd: child.fd, closed };
      if (child.status.type === "directory" && closed === null) yield* inside(ports, { fd: child.fd, names: path }, limits, own, progress);
    } finally {
      sys.descriptor.close(child.fd);
    }
  }
}

interface Child {
  readonly fd: number;
  readonly status: FileStatus;
}

function closedFor({ status }: Child, own: FileStatus | null, name: Buffer, depth: number, limits: WalkLimits): Step["closed"] {
  if (status.attributes.includes("mount-root")) return "mount";
  if (own !== null && isSame(status, own)) return "broker";
  if (name.equals(Buffer.from(trash_name))) return "trash";
  return status.type === "directory" && depth >= limits.depth_max ? "depth" : null;
}

/** Names in a folder, in the order of their bytes. @param fd a `path` descriptor */
export function namesIn(sys: System, fd: number): Buffer[] {
  const folder = openFolder(sys, fd);
  try {
    return sys.file
      .entries(folder)
      .map(({ name }) => name)
      .sort(Buffer.compare);
  } finally {
    sys.descriptor.close(folder);
  }
}

/** Reading a folder leaves no trace where that can be had. */
function openFolder(sys: System, fd: number): number {
  try {
    return sys.file.reopen(fd, ["read", "directory", "noatime"]);
  } catch (error) {
    if (isSysError(error, "EPERM")) return sys.file.reopen(fd, ["read", "directory"]);
    throw error;
  }
}

function openChild(sys: System, folder: number, name: Buffer): Child | null {
  try {
    const fd = sys.file.open(folder, name, ["path", "nofollow"]);
    return { fd, status: sys.file.status(fd) };
  } catch (error) {
    if (error instanceof SysError && error.code === "ENOENT") return null;
    throw error;
  }
}

function ownFolder({ sys, places }: Ports): FileStatus | null {
  return statusAt(sys, "cwd", places.broker);
}
