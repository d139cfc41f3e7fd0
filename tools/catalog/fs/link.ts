import { z } from "zod";
import type { System } from "../../../sys/system.ts";
import { joinPath, quote } from "../../paths/path-text.ts";
import { isOccupied, isSame, type Occupied, openExisting, openPlace, type Place } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import {
  Identity,
  identityOf,
  isThe,
  type OpenSlot,
  restoreTimes,
  SlotImage,
  slotImage,
  statusAt,
  syncFolder,
  withSlot,
} from "./shared/slot.ts";
import { demandStorage, demandType, openOr } from "./shared/target.ts";

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The link to make"),
    to: z
      .string()
      .min(1)
      .max(4095)
      .describe(
        "symbolic: the text of the link, absolute or relative to its folder, whether it leads anywhere or not; hard: the path of an existing file",
      ),
    kind: z
      .enum(["symbolic", "hard"])
      .describe("symbolic: a name that points to a path; hard: a further name of the same file, on the same mount"),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    to: z.string(),
    links: z.number().int().describe("How many names the file has now; 1 for a symbolic link"),
  }),
);

const Image = z.lazy(() =>
  z.strictObject({
    slot: SlotImage,
    /** What the link is: the text of a symbolic one, or the inode that gets a further name. */
    link: z.union([z.strictObject({ text: z.string() }), z.strictObject({ file: Identity })]),
  }),
);
type Image = z.infer<typeof Image>;

interface Wanted extends Target {
  readonly place: Place;
  /** Of a hard link. */
  readonly file: Occupied | null;
}

export const link = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Wanted, Image>({
  name: "fs.link",
  title: "Make a link",
  description:
    "Makes a symbolic or a hard link at a path where nothing is yet. A hard link lets the file be changed under both names, so it needs permission to write both. To have an independent second file use fs.copy.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 10_000,
  idempotent: false,
  tainted: false,
  image: Image,
  resolve(input, context) {
    const what = `making the link ${quote(input.path)}`;
    if (!input.to.isWellFormed() || input.to.includes("\0")) throw new ToolError(`${what} failed: ${quote(input.to)} is no path`);
    const file = input.kind === "hard" ? openExisting(context, input.to, "follow") : null;
    const place = openOr(
      () => file?.close(),
      () => openPlace(context, input.path, "itself"),
    );
    const close = (): void => {
      place.close();
      file?.close();
    };
    try {
      if (isOccupied(place)) throw new ToolError(`${what} failed: there is something already; fs.remove it first, or choose another name`);
      demandStorage(place, what);
      if (file !== null) demandType(file, "file", what);
      const points_to = file === null ? pointedTo(context, place, input.to) : resourcesOf(file, "write");
      return { place, file, resources: [...resourcesOf(place, "write"), ...points_to], close };
    } catch (error) {
      close();
      throw error;
    }
  },
  preview: ({ place }, input) => ({ changes: [`makes the ${input.kind} link ${quote(place.path)} to ${quote(input.to)}`], final: [] }),
  snapshot: ({ place, file }, input, { sys }) =>
    doing(`keeping ${quote(place.path)}`, () => ({
      slot: slotImage(sys, place),
      link: file === null ? { text: input.to } : { file: identityOf(file.status) },
    })),
  run: ({ place, file }, input, { sys }) =>
    doing(`making the link ${quote(place.path)}`, async () => {
      if (file === null) sys.file.symlink(input.to, place.folder, place.name);
      else sys.file.link(file.fd, place.folder, place.name);
      await syncFolder(sys, place.folder);
      return { path: place.path, to: file?.path ?? input.to, links: sys.file.statusAt(place.folder, place.name).links };
    }),
  verify({ place, file }, input, _output, { sys }) {
    const there = statusAt(sys, place.folder, place.name);
    const right =
      file === null
        ? there?.type === "symlink" && sys.file.readLink(place.folder, place.name).toString() === input.to
        : there !== null && isSame(there, file.status);
    if (!right) throw new ToolError(`looking at the link ${quote(place.path)} failed: it is not what was made`);
  },
  settled: (image, _past, context) => withSlot(context, image.slot, (slot) => isOurs(context.sys, slot, image)),
  undo: (image, _past, context) =>
    withSlot(context, image.slot, async (slot) => {
      const { sys } = context;
      if (slot.now() !== null) {
        if (!isOurs(sys, slot, image))
          throw new ToolError(`taking back the link ${quote(slot.path)} failed: something else is there by now`);
        sys.file.unlink(slot.folder, slot.name, "file");
      }
      restoreTimes(sys, slot, image.slot);
      await syncFolder(sys, slot.folder);
    }),
  verifyUndone: (image, _past, context) =>
    withSlot(context, image.slot, (slot) => {
      if (slot.now() !== null) throw new ToolError(`looking for ${quote(slot.path)} after taking it back failed: it is there`);
    }),
});

function isOurs(sys: System, slot: OpenSlot, image: Image): boolean {
  const now = slot.now();
  if ("file" in image.link) return isThe(now, image.link.file);
  return now?.type === "symlink" && sys.file.readLink(slot.folder, slot.name).toString() === image.link.text;
}

/** Where a symbolic link leads, as far as that can be told: who makes it must be allowed to read there, or it is a way around. */
function pointedTo(context: Parameters<typeof openPlace>[0], place: Place, to: string): Target["resources"] {
  const path = to.startsWith("/") ? to : joinPath(folderOf(place), to);
  try {
    const there = openPlace(context, path, "follow");
    const resources = resourcesOf(there, "read");
    there.close();
    return resources;
  } catch (error) {
    if (error instanceof ToolError && /belongs to the broker|what was removed/.test(error.message)) throw error;
    return []; // it leads nowhere yet; whoever follows it is asked then
  }
}

function folderOf({ path }: Place): string {
  const at = path.lastIndexOf("/");
  return at === 0 ? "/" : path.slice(0, at);
}
