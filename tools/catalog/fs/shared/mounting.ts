/** What mount and unmount have in common. */

import { z } from "zod";
import type { MountFlag } from "../../../../sys/mount.ts";
import type { System } from "../../../../sys/system.ts";
import { type Mount, readMounts } from "../../../paths/mounts.ts";
import type { OpenSlot } from "./slot.ts";

/** How a mount is made again. */
export const MountRecipe = z.lazy(() =>
  z.strictObject({
    source: z.string(),
    type: z.string(),
    bind: z.boolean(),
    flags: z.array(z.string()),
    data: z.string(),
  }),
);
export type MountRecipe = z.infer<typeof MountRecipe>;

const flags: Readonly<Record<string, MountFlag>> = {
  ro: "ro",
  nosuid: "nosuid",
  nodev: "nodev",
  noexec: "noexec",
  noatime: "noatime",
  relatime: "relatime",
};

export function flagsOf(options: readonly string[]): MountFlag[] {
  return options.flatMap((option) => flags[option] ?? []);
}

/** Mounts on the folder behind a descriptor: the place may have been renamed, the folder is the same. */
export function mountOn(sys: System, fd: number, { source, type, bind, flags, data }: MountRecipe): void {
  const target = `/proc/self/fd/${fd}`;
  sys.mount.mount(bind ? { source, target, type: "", flags: ["bind"] } : { source, target, type, flags: flagsOf(flags), data });
}

/** A bind mount gets its flags by a second call, on the mount itself. @param path the mount point */
export function restrictBind(sys: System, path: string, wanted: readonly string[]): void {
  sys.mount.mount({ source: "", target: path, type: "", flags: ["remount", "bind", ...flagsOf(wanted)] });
}

/** The mount on top at a path; null when it is no mount point. */
export function topMount(path: string): Mount | null {
  return readMounts().findLast(({ point }) => point === path) ?? null;
}

/** umount2(2) of the mount on top of a slot, by the folder that holds the mount point. @throws {SysError} EBUSY */
export function unmountTop(sys: System, { folder, name }: Pick<OpenSlot, "folder"> & { readonly name: string | Buffer }): void {
  sys.mount.unmount(`/proc/self/fd/${folder}/${name.toString()}`, ["nofollow"]);
}
