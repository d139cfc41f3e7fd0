import { z } from "zod";
import { isWithin, quote } from "../../paths/path-text.ts";
import { isOccupied, type Occupied, openExisting, openPlace, type Place } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { copyTree } from "./shared/copy-tree.ts";
import { doing } from "./shared/failure.ts";
import { FileTypeField, pathField, SetuidField, SpeciesNames } from "./shared/fields.ts";
import { SlotImage, slotImage } from "./shared/slot.ts";
import { demandStorage, openOr } from "./shared/target.ts";
import { fingerprintIn, putTree, treeSettled, undoTree, verifyUndoneTree } from "./shared/tree-slot.ts";
import { demandMovable, extentOf } from "./shared/whole-tree.ts";

const Input = z.lazy(() =>
  z.strictObject({
    from: pathField("What to copy: a file, a link or a folder with all that is in it"),
    to: pathField("The path of the copy itself, not of the folder to put it into"),
    follow: z
      .boolean()
      .default(false)
      .describe("Whether a symbolic link at the end of from is followed; links inside a tree are always copied as links"),
    replace: z.boolean().default(false).describe("Whether what is at to may be replaced as a whole; it goes to the trash"),
    allow_setuid: SetuidField,
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    from: z.string(),
    to: z.string().describe("The real path of the copy"),
    type: FileTypeField,
    entries: z.number().int().describe("Files, folders and links that were copied"),
    bytes: z.number().int().describe("Of the files' content"),
    reflinked: z.number().int().describe("Files that share their blocks with the original"),
    fingerprint: z.string().describe("Of names, types, sizes and times in the copy: while it is the same, the call can be taken back"),
  }),
);

export interface Pair extends Target {
  readonly from: Occupied;
  readonly to: Place;
}

export const copy = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Pair, SlotImage>({
  name: "fs.copy",
  title: "Copy a file or a tree",
  description:
    "Copies a file, link or whole tree with mode, owner, times, extended attributes, holes and hard links (setuid, setgid and capabilities of files only with allow_setuid). " +
    "The copy appears at once when it is whole. Shares blocks where the file system can. Refuses trees with devices, pipes or sockets. To rename use fs.move; for a further name of the same file fs.link.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 600_000,
  idempotent: false,
  tainted: false,
  image: SlotImage,
  resolve(input, context) {
    const what = `copying ${quote(input.from)} to ${quote(input.to)}`;
    const from = openExisting(context, input.from, input.follow ? "follow" : "itself");
    const pair = pairOf(
      from,
      openOr(
        () => from.close(),
        () => openPlace(context, input.to, "itself"),
      ),
      "read",
      (to) => {
        demandStorage(to, what);
        demandCopyable(from, what);
        if (from.names.some((name) => isWithin(to.path, name)))
          throw new ToolError(`${what} failed: the copy would be inside of what is copied`);
        demandReplaceable(context, to, from, input.replace, what);
      },
    );
    if (!input.allow_setuid) return pair;
    const resources = pair.resources.map((one) => ({ ...one, attributes: { ...one.attributes, allow_setuid: true } }));
    return { ...pair, resources };
  },
  async preview({ from, to }, _input, context) {
    const changes = [
      `copies ${SpeciesNames[from.status.type]} ${quote(from.path)} (${await extentOf(context, from)}) to ${quote(to.path)}`,
    ];
    if (isOccupied(to))
      changes.push(`moves ${SpeciesNames[to.status.type]} ${quote(to.path)} (${await extentOf(context, to)}) to the trash`);
    return { changes, final: [] };
  },
  snapshot: ({ to }, _input, { sys }) => doing(`keeping ${quote(to.path)}`, () => slotImage(sys, to)),
  run: ({ from, to }, input, context) =>
    doing(`copying ${quote(from.path)} to ${quote(to.path)}`, async () => {
      let copied = { entries: 0, bytes: 0, reflinked: 0 };
      await putTree(context, to, async (beside) => {
        copied = await copyTree(context, from, to.folder, beside, { privileges: input.allow_setuid });
      });
      return { from: from.path, to: to.path, type: from.status.type, ...copied, fingerprint: await fingerprintIn(context, to) };
    }),
  async verify({ to }, _input, output, context) {
    const status = context.sys.file.statusAt(to.folder, to.name);
    if (status.type !== output.type)
      throw new ToolError(`looking at the copy ${quote(to.path)} failed: it is ${SpeciesNames[status.type]}`);
  },
  settled: (image, past, context) => treeSettled(image, context, past.call),
  undo: (image, past, context) => undoTree(image, context, past.call, past.output?.fingerprint ?? null),
  verifyUndone: (image, _past, context) => verifyUndoneTree(image, context),
});

/** Both places and what the policies see of them; both are closed when `check` throws. */
export function pairOf(from: Occupied, to: Place, access: "read" | "delete", check: (to: Place) => void): Pair {
  const close = (): void => {
    from.close();
    to.close();
  };
  try {
    check(to);
  } catch (error) {
    close();
    throw error;
  }
  const recursive = from.status.type === "directory";
  // what is moved can be read at its new place: that has to be allowed as well
  const reads = resourcesOf(from, "read", { recursive });
  const deletes = access === "delete" ? resourcesOf(from, "delete", { recursive }) : [];
  const replaced = isOccupied(to) && to.status.type === "directory";
  return { from, to, close, resources: [...reads, ...deletes, ...resourcesOf(to, "write", { recursive: recursive || replaced })] };
}

function demandCopyable({ path, status }: Occupied, what: string): void {
  if (status.type !== "file" && status.type !== "directory" && status.type !== "symlink")
    throw new ToolError(`${what} failed: ${quote(path)} is ${SpeciesNames[status.type]}, which cannot be copied`);
}

export function demandReplaceable(
  context: Parameters<typeof demandMovable>[0],
  to: Place,
  from: Occupied,
  replace: boolean,
  what: string,
): void {
  if (!isOccupied(to)) return;
  if (to.status.inode === from.status.inode && to.status.device === from.status.device)
    throw new ToolError(`${what} failed: both are the same file`);
  if (!replace) {
    const hint = to.status.type === "directory" ? "to put it inside, give the whole new path; or " : "";
    throw new ToolError(
      `${what} failed: there is ${SpeciesNames[to.status.type]} already; ${hint}say "replace": true to replace it as a whole`,
    );
  }
  if (from.names.some((name) => to.names.some((other) => isWithin(name, other))))
    throw new ToolError(`${what} failed: it would replace a folder that it is in`);
  demandMovable(context, to, what);
}
