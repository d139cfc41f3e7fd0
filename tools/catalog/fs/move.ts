import { z } from "zod";
import type { Context } from "../../context.ts";
import { isWithin, quote } from "../../paths/path-text.ts";
import { isOccupied, openExisting, openPlace } from "../../paths/place.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { demandReplaceable, type Pair, pairOf } from "./copy.ts";
import { copyTree } from "./shared/copy-tree.ts";
import { doing } from "./shared/failure.ts";
import { FileTypeField, pathField, SpeciesNames } from "./shared/fields.ts";
import { type Identity, identityOf, isThe, restoreTimes, SlotImage, slotImage, statusAt, syncFolder, withSlot } from "./shared/slot.ts";
import { demandStorage, openOr } from "./shared/target.ts";
import { fromTrash, isInTrash, toTrash } from "./shared/trash.ts";
import { fingerprintIn, putTree, treeSettled, undoTree, verifyUndoneTree } from "./shared/tree-slot.ts";
import { demandMovable, extentOf } from "./shared/whole-tree.ts";

const Input = z.lazy(() =>
  z.strictObject({
    from: pathField("What to move; a symbolic link itself"),
    to: pathField("Its new path, not the folder to put it into"),
    replace: z.boolean().default(false).describe("Whether what is at to may be replaced as a whole; it goes to the trash"),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    from: z.string(),
    to: z.string(),
    type: FileTypeField,
    copied: z.boolean().describe("Whether it had to be copied, because to is on another mount"),
    fingerprint: z.string().nullable().describe("Of a copied tree: while it is the same, the call can be taken back"),
  }),
);

const Image = z.lazy(() => z.strictObject({ from: SlotImage, to: SlotImage, across: z.boolean() }));
type Image = z.infer<typeof Image>;

export const move = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Pair, Image>({
  name: "fs.move",
  title: "Move or rename",
  description:
    "Gives a file, link or folder another path, by one rename; onto another mount by a copy with everything on it, after which the original goes to the trash. " +
    "Replaces something at the new path only with replace. To keep the original use fs.copy.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 600_000,
  idempotent: false,
  tainted: false,
  image: Image,
  resolve(input, context) {
    const what = `moving ${quote(input.from)} to ${quote(input.to)}`;
    const from = openExisting(context, input.from, "itself");
    return pairOf(
      from,
      openOr(
        () => from.close(),
        () => openPlace(context, input.to, "itself"),
      ),
      "delete",
      (to) => {
        demandStorage(from, what);
        demandStorage(to, what);
        demandMovable(context, from, what);
        if (from.names.some((name) => to.path !== name && isWithin(to.path, name)))
          throw new ToolError(`${what} failed: it would be inside of itself`);
        demandReplaceable(context, to, from, input.replace, what);
      },
    );
  },
  async preview({ from, to }, _input, context) {
    const changes = [`moves ${SpeciesNames[from.status.type]} ${quote(from.path)} (${await extentOf(context, from)}) to ${quote(to.path)}`];
    if (isOccupied(to))
      changes.push(`moves ${SpeciesNames[to.status.type]} ${quote(to.path)} (${await extentOf(context, to)}) to the trash`);
    return { changes, final: [] };
  },
  snapshot: ({ from, to }, _input, { sys }) =>
    doing(`keeping ${quote(from.path)} and ${quote(to.path)}`, () => ({
      from: slotImage(sys, from),
      to: slotImage(sys, to),
      across: from.mount.id !== to.mount.id,
    })),
  run: (target, _input, context) =>
    doing(`moving ${quote(target.from.path)} to ${quote(target.to.path)}`, async () => {
      const { from, to } = target;
      const across = from.mount.id !== to.mount.id;
      if (across) await moveAcross(target, context);
      else await moveWithin(target, context);
      const fingerprint = across ? await fingerprintIn(context, to) : null;
      return { from: from.path, to: to.path, type: from.status.type, copied: across, fingerprint };
    }),
  verify({ from, to }, _input, output, { sys }) {
    const there = statusAt(sys, to.folder, to.name);
    const gone = !isThe(statusAt(sys, from.folder, from.name), identityOf(from.status));
    if (!gone || there?.type !== output.type) throw new ToolError(`looking at ${quote(to.path)} after moving failed: it is not there`);
  },
  async settled(image, past, context) {
    const moved = image.from.before;
    if (moved === null) return false;
    const left = await withSlot(
      context,
      image.from,
      async (slot) => slot.now() === null && (!image.across || (await isInTrash(context, slot.path, moved))),
    );
    if (!left) return false;
    if (image.across) return treeSettled(image.to, context, past.call);
    return withSlot(
      context,
      image.to,
      async (slot) => isThe(slot.now(), moved) && (image.to.before === null || (await isInTrash(context, slot.path, image.to.before))),
    );
  },
  async undo(image, past, context) {
    const moved = image.from.before;
    if (moved === null) return;
    if (image.across) await undoAcross(image, moved, context, past.call, past.output?.fingerprint ?? null);
    else await undoWithin(image, moved, context);
  },
  async verifyUndone(image, _past, context) {
    await verifyUndoneTree(image.from, context);
    await verifyUndoneTree(image.to, context);
  },
});

async function moveWithin({ from, to }: Pair, context: Context): Promise<void> {
  const { sys } = context;
  const how = to.status === null ? "noreplace" : "exchange";
  const rename = (): void => sys.file.rename(from.folder, from.name, to.folder, to.name, how);
  const back = (): void => sys.file.rename(to.folder, to.name, from.folder, from.name, how);
  rename();
  const replaced = to.status === null ? null : identityOf(to.status);
  const right = isThe(statusAt(sys, to.folder, to.name), identityOf(from.status)) && isThe(statusAt(sys, from.folder, from.name), replaced);
  if (!right) {
    back();
    throw new ToolError(`moving ${quote(from.path)} failed: it was exchanged meanwhile, and was left as it is; look again`);
  }
  if (replaced !== null) await toTrash(context, { folder: from.folder, name: from.name, path: to.path }, replaced);
  for (const folder of [from.folder, to.folder]) await syncFolder(sys, folder);
}

async function undoWithin(image: Image, moved: Identity, context: Context): Promise<void> {
  const { sys } = context;
  await withSlot(context, image.from, (from) =>
    withSlot(context, image.to, async (to) => {
      const replaced = image.to.before;
      if (!isThe(from.now(), moved)) {
        if (!isThe(to.now(), moved)) throw new ToolError(`moving back ${quote(from.path)} failed: it is not at ${quote(to.path)} any more`);
        const is_exchanged = replaced !== null && isThe(from.now(), replaced);
        if (from.now() !== null && !is_exchanged)
          throw new ToolError(`moving back ${quote(from.path)} failed: there is something else now; move that away first`);
        sys.file.rename(to.folder, to.name, from.folder, from.name, is_exchanged ? "exchange" : "noreplace");
      }
      if (replaced !== null && !isThe(to.now(), replaced) && !(await fromTrash(context, to, replaced)))
        throw new ToolError(`bringing back ${quote(to.path)} failed: it is not in the trash any more`);
      for (const [slot, one] of [
        [from, image.from],
        [to, image.to],
      ] as const) {
        await syncFolder(sys, slot.folder);
        restoreTimes(sys, slot, one);
      }
    }),
  );
}

async function moveAcross({ from, to }: Pair, context: Context): Promise<void> {
  await putTree(context, to, async (beside) => {
    await copyTree(context, from, to.folder, beside, { privileges: true });
  });
  await toTrash(context, from, identityOf(from.status));
}

/** The original first: at no time is there none. */
async function undoAcross(image: Image, moved: Identity, context: Context, call: string, fingerprint: string | null): Promise<void> {
  await withSlot(context, image.from, async (from) => {
    if (!isThe(from.now(), moved) && !(await fromTrash(context, from, moved)))
      throw new ToolError(`bringing back ${quote(from.path)} failed: it is not in the trash any more`);
    restoreTimes(context.sys, from, image.from);
  });
  await undoTree(image.to, context, call, fingerprint);
}
