import { z } from "zod";
import type { Mount } from "../../paths/mounts.ts";
import { readMounts } from "../../paths/mounts.ts";
import { isWithin, quote } from "../../paths/path-text.ts";
import { brokerFolder, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import { flagsOf, MountRecipe, mountOn, restrictBind, topMount, unmountTop } from "./shared/mounting.ts";
import { identityOf, SlotImage, withSlot } from "./shared/slot.ts";

const Input = z.lazy(() => z.strictObject({ path: pathField("The mount point") }));
const Output = z.lazy(() => z.strictObject({ path: z.string(), source: z.string(), type: z.string() }));
const Image = z.lazy(() =>
  z.strictObject({
    slot: SlotImage.pick({ folder: true, name: true }),
    path: z.string(),
    /** The mount on top, and the one below it. */
    id: z.number().int(),
    below: z.number().int().nullable(),
    /** Null: it cannot be made again. */
    again: MountRecipe.nullable(),
  }),
);

interface Wanted extends Target {
  readonly path: string;
  /** Of the folder that holds the mount point: a descriptor of the mount itself would keep it busy. */
  readonly folder: number;
  readonly name: string;
  readonly mount: Mount;
  readonly again: MountRecipe | null;
}

/** Without these nothing works. */
const essential: readonly string[] = ["/", "/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/dev/shm", "/run", "/tmp"];
const in_memory: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

export const unmount = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Wanted, z.infer<typeof Image>>({
  name: "fs.unmount",
  title: "Unmount a file system",
  description:
    "Takes a mount away, when nobody uses it. What is in a tmpfs is lost with it, so that unmounting one is irreversible. Not for the mounts that the system itself needs.",
  input: Input,
  output: Output,
  risk: "irreversible",
  riskOf: (_input, { again }) => (again === null ? "irreversible" : "reversible"),
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  concurrency_max: 1,
  image: Image,
  resolve(input, context) {
    const what = `unmounting ${quote(input.path)}`;
    const { sys } = context;
    const place = openExisting(context, input.path, "follow");
    try {
      const { mount, path, name } = place;
      if (!place.status.attributes.includes("mount-root") || mount.point !== path)
        throw new ToolError(`${what} failed: it is no mount point; fs.stat tells on which it is`);
      const own = brokerFolder(context);
      if (essential.includes(path) || isWithin(own, path)) throw new ToolError(`${what} failed: the system itself needs it`);
      const inside = readMounts().find(({ point }) => point !== path && isWithin(point, path));
      if (inside !== undefined) throw new ToolError(`${what} failed: ${quote(inside.point)} is mounted in it; unmount that first`);
      const folder = sys.file.open(place.folder, ".", ["path", "directory"]);
      const again = recipeFor(mount, place.names);
      return {
        path,
        folder,
        name,
        mount,
        again,
        resources: resourcesOf(place, "write", { recursive: true }),
        close: () => sys.descriptor.close(folder),
      };
    } finally {
      place.close();
    }
  },
  preview: ({ path, mount, again }) => ({
    changes: [`unmounts ${mount.type} ${quote(mount.source)} from ${quote(path)}`],
    final:
      again === null
        ? [in_memory.has(mount.type) ? `everything in ${quote(path)} is lost` : `${quote(path)} cannot be mounted again by undo`]
        : [],
  }),
  snapshot: ({ path, folder, name, mount, again }, _input, { sys }) => {
    const status = sys.file.status(folder);
    const stack = readMounts().filter(({ point }) => point === path);
    return {
      slot: {
        folder: {
          ...{ path: sys.file.pathOf(folder).toString(), identity: identityOf(status) },
          ...{ atime_ns: String(status.atime_ns), mtime_ns: String(status.mtime_ns) },
        },
        name,
      },
      ...{ path, id: mount.id, below: stack.at(-2)?.id ?? null, again },
    };
  },
  run: (target, _input, { sys }) =>
    doing(`unmounting ${quote(target.path)}`, () => {
      const { path, folder, name, mount } = target;
      if (sys.file.statusAt(folder, name).mount_id !== mount.id)
        throw new ToolError(`unmounting ${quote(path)} failed: another mount is there by now`);
      unmountTop(sys, { folder, name });
      return { path, source: mount.source, type: mount.type };
    }),
  verify({ path, mount }) {
    if (readMounts().some(({ id }) => id === mount.id))
      throw new ToolError(`looking at ${quote(path)} after unmounting failed: it is still mounted`);
  },
  settled: (image) => (topMount(image.path)?.id ?? null) === image.below,
  undo: (image, _past, context) =>
    withSlot(context, { ...image.slot, before: null }, (slot) =>
      doing(`mounting ${quote(image.path)} again`, () => {
        const { sys } = context;
        if ((topMount(image.path)?.id ?? null) !== image.below) return; // it was not unmounted, or is mounted again
        if (image.again === null)
          throw new ToolError(`mounting ${quote(image.path)} again failed: what was mounted cannot be mounted a second time`);
        const fd = sys.file.open(slot.folder, slot.name, ["path", "nofollow"]);
        mountOn(sys, fd, image.again);
        sys.descriptor.close(fd);
        if (image.again.bind) restrictBind(sys, `/proc/self/fd/${slot.folder}/${slot.name.toString()}`, image.again.flags);
      }),
    ),
  verifyUndone(image) {
    const top = topMount(image.path);
    if (top === null || top.id === image.below)
      throw new ToolError(`looking at ${quote(image.path)} after mounting it again failed: it is not mounted`);
  },
});

/** @param names under which the file system is visible elsewhere: a bind mount is made again from there */
function recipeFor(mount: Mount, names: readonly string[]): MountRecipe | null {
  const flags = flagsOf(mount.options);
  const [, elsewhere] = names;
  if (elsewhere !== undefined) return { source: elsewhere, type: "", bind: true, flags, data: "" };
  if (mount.root !== "/" || in_memory.has(mount.type)) return null;
  if (!mount.source.startsWith("/dev/")) return null;
  const data = mount.super_options.filter((option) => option !== "rw" && option !== "ro").join(",");
  return {
    source: mount.source,
    type: mount.type,
    bind: false,
    flags: mount.super_options.includes("ro") ? [...flags, "ro"] : flags,
    data,
  };
}
