import { z } from "zod";
import type { Context } from "../../context.ts";
import { isWithin, quote } from "../../paths/path-text.ts";
import { brokerFolder, type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import { type MountRecipe, mountOn, restrictBind, topMount, unmountTop } from "./shared/mounting.ts";
import { SlotImage, slotImage, withSlot } from "./shared/slot.ts";
import { demandType, openOr } from "./shared/target.ts";
import { namesIn } from "./shared/walk.ts";

const Input = z.lazy(() =>
  z.strictObject({
    type: z
      .enum(["ext4", "vfat", "erofs", "tmpfs", "bind"])
      .describe(
        "ext4, vfat, erofs: a block device with that file system; tmpfs: an empty one in memory; bind: a folder or file that is there, at a second place",
      ),
    source: z.string().max(4095).optional().describe("A block device below /dev, or with bind an absolute path; left out with tmpfs"),
    target: pathField("The folder (with bind of a file: the file) to mount on; what is in it is hidden until it is unmounted"),
    read_only: z.boolean().default(false),
    allow_exec: z.boolean().default(false).describe("Whether programs on it may be run. Setuid and device nodes never count on it"),
    size_bytes: z
      .number()
      .int()
      .min(65_536)
      .max(2 ** 40)
      .optional()
      .describe("Of a tmpfs: how large it may become; needed with tmpfs"),
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() => z.strictObject({ path: z.string(), source: z.string(), type: z.string(), options: z.array(z.string()) }));

const Image = z.lazy(() =>
  z.strictObject({
    slot: SlotImage,
    path: z.string(),
    before: z.number().int().nullable().describe("The mount that was on top"),
  }),
);

interface Wanted extends Target {
  readonly on: Occupied;
  readonly source: Occupied | null;
}

export const mount = defineTool<Input, z.infer<typeof Output>, Wanted, z.infer<typeof Image>>({
  name: "fs.mount",
  title: "Mount a file system",
  description:
    "Mounts a device, a memory file system or a second view of a folder, always without setuid and devices. Lasts until fs.unmount or the next boot. Does not format, does not mount over the network.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  concurrency_max: 1,
  image: Image,
  resolve(input, context) {
    const what = `mounting on ${quote(input.target)}`;
    demandFitting(input, what);
    const on = openExisting(context, input.target, "follow");
    const path = input.source;
    const source =
      path === undefined
        ? null
        : openOr(
            () => on.close(),
            () => openExisting(context, path, "follow"),
          );
    const close = (): void => {
      on.close();
      source?.close();
    };
    try {
      demandPlaces(context, on, source, input, what);
    } catch (error) {
      close();
      throw error;
    }
    const access = input.read_only ? "read" : "write";
    const used = source === null ? [] : resourcesOf(source, access, { recursive: true });
    return { on, source, close, resources: [...resourcesOf(on, "write", { recursive: true, mounts: input.type }), ...used] };
  },
  preview: ({ on, source }, input, { sys }) => {
    const hidden = on.status.type === "directory" ? namesIn(sys, on.fd).length : 0;
    const changes = [`mounts ${input.type} ${quote(source?.path ?? "tmpfs")} on ${quote(on.path)}${input.read_only ? ", read-only" : ""}`];
    if (hidden > 0) changes.push(`hides ${hidden} entries of ${quote(on.path)} as long as it is mounted`);
    return { changes, final: [] };
  },
  snapshot: ({ on }, _input, { sys }) =>
    doing(`keeping ${quote(on.path)}`, () => ({ slot: slotImage(sys, on), path: on.path, before: topMount(on.path)?.id ?? null })),
  run: ({ on, source }, input, { sys }) =>
    doing(`mounting on ${quote(on.path)}`, () => {
      const recipe = recipeOf(input, source);
      mountOn(sys, on.fd, recipe);
      if (recipe.bind) restrictBind(sys, `/proc/self/fd/${on.folder}/${on.name}`, recipe.flags);
      const made = topMount(on.path);
      if (made === null) throw new ToolError(`mounting on ${quote(on.path)} failed: the mount table does not show it`);
      return { path: on.path, source: made.source, type: made.type, options: [...made.options] };
    }),
  verify({ on }, input, output) {
    const made = topMount(on.path);
    const right = made?.options.includes("nosuid") && made.options.includes("nodev") && made.options.includes("ro") === input.read_only;
    if (!right)
      throw new ToolError(`looking at the mount on ${quote(output.path)} failed: its options are ${made?.options.join(",") ?? "gone"}`);
  },
  settled(image) {
    const top = topMount(image.path);
    return top !== null && top.id !== image.before && top.options.includes("nosuid") && top.options.includes("nodev");
  },
  undo: (image, _past, context) =>
    withSlot(context, image.slot, (slot) =>
      doing(`unmounting ${quote(image.path)}`, () => {
        const top = topMount(image.path);
        if (top === null || top.id === image.before) return;
        demandEmptyMemory(context, image.path, top.type);
        unmountTop(context.sys, slot);
      }),
    ),
  verifyUndone(image) {
    const top = topMount(image.path);
    if ((top?.id ?? null) !== image.before && top !== null)
      throw new ToolError(`looking at ${quote(image.path)} after unmounting failed: it is still a mount point`);
  },
});

function demandFitting({ type, source, size_bytes }: Input, what: string): void {
  if ((type === "tmpfs") !== (source === undefined))
    throw new ToolError(`${what} failed: ${type === "tmpfs" ? "a tmpfs has no source" : "give the source"}`);
  if ((type === "tmpfs") !== (size_bytes !== undefined))
    throw new ToolError(`${what} failed: ${type === "tmpfs" ? "give size_bytes" : "size_bytes goes with tmpfs"}`);
}

function demandPlaces(context: Context, on: Occupied, source: Occupied | null, { type }: Input, what: string): void {
  if (on.path === "/") throw new ToolError(`${what} failed: over the root nothing could be reached any more`);
  const own = brokerFolder(context);
  if (on.names.some((name) => isWithin(own, name))) throw new ToolError(`${what} failed: it would hide the broker's own folder`);
  if (type !== "bind") {
    demandType(on, "directory", what);
    if (source !== null && (source.status.type !== "block-device" || source.mount.type !== "devtmpfs"))
      throw new ToolError(`${what} failed: ${quote(source.path)} is no block device of /dev; sys.info lists those there are`);
  } else if (source !== null && (source.status.type === "directory") !== (on.status.type === "directory"))
    throw new ToolError(`${what} failed: a folder goes on a folder, a file on a file`);
}

function recipeOf(input: Input, source: Occupied | null): MountRecipe {
  const flags = ["nosuid", "nodev", ...(input.read_only ? ["ro"] : []), ...(input.allow_exec ? [] : ["noexec"])];
  const bind = input.type === "bind";
  const from = source === null ? "tmpfs" : bind ? `/proc/self/fd/${source.fd}` : source.path;
  return { source: from, type: input.type, bind, flags, data: input.type === "tmpfs" ? `size=${input.size_bytes},mode=0755` : "" };
}

/** What is in memory only goes with its mount. */
function demandEmptyMemory({ sys }: Context, path: string, type: string): void {
  if (type !== "tmpfs") return;
  const fd = sys.file.open("cwd", path, ["path", "directory"], ["no-symlinks"]);
  const names = namesIn(sys, fd);
  sys.descriptor.close(fd);
  if (names.length > 0)
    throw new ToolError(
      `unmounting ${quote(path)} failed: it is in memory and holds ${quote(names[0]?.toString() ?? "")}; move that elsewhere first`,
    );
}
