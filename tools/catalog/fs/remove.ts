import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { doing } from "./shared/failure.ts";
import { FileTypeField, pathField, SpeciesNames } from "./shared/fields.ts";
import { identityOf, isThe, restoreTimes, SlotImage, slotImage, statusAt, withSlot } from "./shared/slot.ts";
import { checked, demandStorage, type PlaceTarget, targetOf } from "./shared/target.ts";
import { fromTrash, isInTrash, toTrash } from "./shared/trash.ts";
import { namesIn } from "./shared/walk.ts";
import { demandMovable, extentOf } from "./shared/whole-tree.ts";

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("What to remove; a symbolic link itself, not what it points to"),
    recursive: z.boolean().default(false).describe("Whether a folder may hold something"),
  }),
);
const Output = z.lazy(() => z.strictObject({ path: z.string(), type: FileTypeField }));

export const remove = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, PlaceTarget<Occupied>, SlotImage>({
  name: "fs.remove",
  title: "Remove a file or a tree",
  description:
    "Removes a file, link or folder (with recursive also what is in it) into the broker's trash, by one rename however large it is. undo brings it back exactly, until room is needed or 30 days are over. " +
    "The room on disk is free only then. To empty a file use fs.write; to take a mount away fs.unmount.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 30_000,
  idempotent: false,
  tainted: false,
  image: SlotImage,
  resolve(input, context) {
    const what = `removing ${quote(input.path)}`;
    const place = checked(openExisting(context, input.path, "itself"), (one) => {
      demandStorage(one, what);
      demandMovable(context, one, what);
      if (one.status.type === "directory" && !input.recursive && namesIn(context.sys, one.fd).length > 0)
        throw new ToolError(`${what} failed: the folder is not empty; say "recursive": true when all of it is meant`);
    });
    return targetOf(place, resourcesOf(place, "delete", { recursive: place.status.type === "directory" }));
  },
  async preview({ place }, _input, context) {
    return { changes: [`removes ${SpeciesNames[place.status.type]} ${quote(place.path)} (${await extentOf(context, place)})`], final: [] };
  },
  snapshot: ({ place }, _input, context) => doing(`keeping ${quote(place.path)}`, () => slotImage(context.sys, place)),
  run: ({ place }, _input, context) =>
    doing(`removing ${quote(place.path)}`, async () => {
      await toTrash(context, place, identityOf(place.status));
      return { path: place.path, type: place.status.type };
    }),
  verify({ place }, _input, _output, { sys }) {
    if (isThe(statusAt(sys, place.folder, place.name), identityOf(place.status)))
      throw new ToolError(`looking for ${quote(place.path)} after removing it failed: it is still there`);
  },
  settled: (image, _past, context) =>
    withSlot(
      context,
      image,
      async (slot) => slot.now() === null && image.before !== null && (await isInTrash(context, slot.path, image.before)),
    ),
  undo: (image, _past, context) =>
    withSlot(context, image, async (slot) => {
      const { before } = image;
      if (before !== null && !isThe(slot.now(), before) && !(await fromTrash(context, slot, before)))
        throw new ToolError(`bringing back ${quote(slot.path)} failed: it is not in the trash any more`);
      restoreTimes(context.sys, slot, image);
    }),
  verifyUndone: (image, _past, context) =>
    withSlot(context, image, (slot) => {
      if (!isThe(slot.now(), image.before))
        throw new ToolError(`looking at ${quote(slot.path)} after bringing it back failed: it is not there`);
    }),
});
