/** What holds for a tree that is moved, removed or changed as a whole. */

import { createHash } from "node:crypto";
import type { Context } from "../../../context.ts";
import { readMounts } from "../../../paths/mounts.ts";
import { isWithin, quote } from "../../../paths/path-text.ts";
import { brokerFolder, type Occupied } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { depth_max, walk } from "./walk.ts";

/** @throws {ToolError} when it is a mount point or holds one, or holds the broker's folder. @param what `removing "/x"` */
export function demandMovable(ports: Pick<Context, "sys" | "places">, place: Occupied, what: string): void {
  if (place.path === "/") throw new ToolError(`${what} failed: it is the root of everything`);
  if (place.status.attributes.includes("mount-root")) throw new ToolError(`${what} failed: it is a mount point; fs.unmount it first`);
  const own = brokerFolder(ports);
  const mounts = readMounts();
  for (const name of place.names) {
    if (isWithin(own, name)) throw new ToolError(`${what} failed: the broker's own folder is in it`);
    const inside = mounts.find(({ point }) => point !== name && isWithin(point, name));
    if (inside !== undefined) throw new ToolError(`${what} failed: ${quote(inside.point)} is a mount point in it; fs.unmount it first`);
  }
}

export const tree_entries_max = 1_000_000;

/** SHA-256 over what can be seen of a tree without reading its files: names, types, modes, owners, sizes, times of change. */
export async function fingerprintOf(
  ports: Pick<Context, "sys" | "places" | "signal">,
  root: Pick<Occupied, "fd" | "path">,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const { names, status } of walk(ports, root, { depth_max, entries_max: tree_entries_max })) {
    for (const name of names) hash.update("/").update(name);
    const { type, mode, uid, gid, size_bytes, mtime_ns } = status;
    hash.update(`\0${type} ${mode} ${uid} ${gid} ${type === "directory" ? 0 : size_bytes} ${mtime_ns}\0`);
  }
  return hash.digest("hex");
}

/** How large, for a preview; more than `entries_max` is not counted out. */
export async function extentOf(ports: Pick<Context, "sys" | "places" | "signal">, place: Occupied, entries_max = 10_000): Promise<string> {
  if (place.status.type !== "directory") return `${place.status.size_bytes} bytes`;
  let entries = 0;
  let bytes = 0;
  for await (const { status } of walk(ports, place, { depth_max, entries_max: tree_entries_max })) {
    entries += 1;
    bytes += status.allocated_bytes;
    if (entries > entries_max) return `more than ${entries_max} entries`;
  }
  return `${entries} entries, ${bytes} bytes on disk`;
}
