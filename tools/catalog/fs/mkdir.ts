import { z } from "zod";
import { isSysError } from "../../../sys/errors.ts";
import type { FileStatus } from "../../../sys/file/calls.ts";
import type { System } from "../../../sys/system.ts";
import { checkPath, joinPath, quote, splitPath } from "../../paths/path-text.ts";
import { isOccupied, openPlace, type Place } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { doing } from "./shared/failure.ts";
import { ModeField, modeText, parseMode, pathField } from "./shared/fields.ts";
import { besideName } from "./shared/new-file.ts";
import { type OpenSlot, restoreTimes, SlotImage, slotImage, statusAt, syncFolder, withSlot } from "./shared/slot.ts";
import { checked, demandStorage } from "./shared/target.ts";
import { namesIn } from "./shared/walk.ts";

const depth_max = 64;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The folder to make"),
    parents: z.boolean().default(false).describe("Also make the folders above it that are missing"),
    exist_ok: z.boolean().default(false).describe("Whether it is all right when the folder is there already: then nothing is done"),
    mode: ModeField.default("0755"),
    uid: z.number().int().min(0).max(4_294_967_294).default(0).describe("Owner of all folders that are made"),
    gid: z.number().int().min(0).max(4_294_967_294).default(0).describe("Group of all folders that are made"),
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string().describe("The folder's real path"),
    made: z.array(z.string()).describe("The folders that were made, from above"),
  }),
);

const Image = z.lazy(() =>
  z.strictObject({
    slot: SlotImage,
    /** Names below the one in the slot; null: nothing was to be made. */
    below: z.array(z.string()).nullable(),
    mode: z.number().int(),
  }),
);

interface Wanted extends Target {
  /** Where the first missing folder goes. */
  readonly place: Place;
  /** Names below it. */
  readonly below: readonly string[];
}

export const mkdir = defineTool<Input, z.infer<typeof Output>, Wanted, z.infer<typeof Image>>({
  name: "fs.mkdir",
  title: "Make a folder",
  description:
    "Makes a folder, with parents also those above it that are missing: all of them appear at once. Files come by fs.write, trees by fs.copy.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 10_000,
  idempotent: true,
  tainted: false,
  image: Image,
  resolve(input, context) {
    const what = `making the folder ${quote(input.path)}`;
    checkPath(input.path);
    const { place, below } = firstMissing(context, input);
    checked(place, () => {
      if (isOccupied(place)) {
        if (!input.exist_ok || place.status.type !== "directory")
          throw new ToolError(
            `${what} failed: there is something already${place.status.type === "directory" ? '; say "exist_ok": true when that is all right' : ""}`,
          );
      } else demandStorage(place, what);
      if (below.length > depth_max) throw new ToolError(`${what} failed: more than ${depth_max} folders are missing`);
    });
    const resources = resourcesOf(place, isOccupied(place) ? "read" : "write");
    const deeper = resources.map((one) => ({ ...one, id: below.reduce(joinPath, one.id) }));
    return { place, below, resources: below.length === 0 ? resources : [...resources, ...deeper], close: () => place.close() };
  },
  preview: ({ place, below }) => ({
    changes: isOccupied(place)
      ? []
      : [`makes the folder ${quote(below.reduce(joinPath, place.path))}${below.length > 0 ? ` and ${below.length} above it` : ""}`],
    final: [],
  }),
  snapshot: ({ place, below }, input, { sys }) =>
    doing(`keeping ${quote(place.path)}`, () => ({
      slot: slotImage(sys, place),
      below: isOccupied(place) ? null : [...below],
      mode: parseMode(input.mode, true, true),
    })),
  run: ({ place, below }, input, { sys, call }) =>
    doing(`making the folder ${quote(input.path)}`, async () => {
      const path = below.reduce(joinPath, place.path);
      if (isOccupied(place)) return { path, made: [] };
      const beside = besideName(call, "new");
      makeChain(sys, place.folder, [beside, ...below], input);
      sys.file.rename(place.folder, beside, place.folder, place.name, "noreplace");
      await syncFolder(sys, place.folder);
      return { path, made: [place.path, ...below.map((_name, index) => below.slice(0, index + 1).reduce(joinPath, place.path))] };
    }),
  verify({ place, below }, input, output, { sys }) {
    const status = withDeepest(sys, place, below, (fd) => sys.file.status(fd));
    if (status?.type !== "directory" || (output.made.length > 0 && status.mode !== parseMode(input.mode, true, true)))
      throw new ToolError(
        `looking at ${quote(output.path)} failed: it is not there as it was made, with mode ${modeText(status?.mode ?? 0)}`,
      );
  },
  settled: (image, past, context) =>
    withSlot(context, image.slot, (slot) => {
      if (image.below === null) return true;
      return statusAt(context.sys, slot.folder, besideName(past.call, "new")) === null && slot.now()?.type === "directory";
    }),
  undo: (image, past, context) =>
    withSlot(context, image.slot, async (slot) => {
      if (image.below === null) return;
      const { sys } = context;
      for (const name of [besideName(past.call, "new"), slot.name]) removeChain(sys, slot, [name, ...image.below]);
      restoreTimes(sys, slot, image.slot);
      await syncFolder(sys, slot.folder);
    }),
  verifyUndone: (image, _past, context) =>
    withSlot(context, image.slot, (slot) => {
      if (image.below !== null && slot.now() !== null)
        throw new ToolError(`looking for ${quote(slot.path)} after taking it back failed: it is there`);
    }),
});

function firstMissing(
  context: Parameters<typeof openPlace>[0],
  { path, parents }: Input,
): { readonly place: Place; readonly below: string[] } {
  let at = path.replace(/\/+$/, "") || "/";
  const below: string[] = [];
  for (;;) {
    try {
      return { place: openPlace(context, at, "follow"), below };
    } catch (error) {
      const { folder, name } = splitPath(at);
      const is_missing = error instanceof ToolError && isSysError(error.cause, "ENOENT");
      if (!parents || !is_missing || name === "" || name === "." || name === ".." || folder === at) throw error;
      below.unshift(name);
      at = folder.replace(/\/+$/, "") || "/";
    }
  }
}

/** One folder in the other, from above, each with its mode and owner. */
function makeChain(sys: System, folder: number, names: readonly string[], input: Input): void {
  const [name, ...below] = names;
  if (name === undefined) return;
  sys.file.makeFolder(folder, name, 0o700);
  const fd = sys.file.open(folder, name, ["path", "directory", "nofollow"]);
  try {
    makeChain(sys, fd, below, input);
    sys.file.setOwner(fd, input.uid, input.gid);
    sys.file.setMode(fd, parseMode(input.mode, true, true));
  } finally {
    sys.descriptor.close(fd);
  }
}

/** From below, only what is empty otherwise. @throws {ToolError} when somebody has put something in since */
function removeChain(sys: System, slot: OpenSlot, names: readonly (string | Buffer)[], folder: number = slot.folder): void {
  const [name, ...below] = names;
  if (name === undefined || statusAt(sys, folder, name)?.type !== "directory") return;
  const fd = sys.file.open(folder, name, ["path", "directory", "nofollow"]);
  try {
    const others = namesIn(sys, fd).filter((one) => !one.equals(Buffer.from(below[0] ?? "")));
    if (others.length > 0)
      throw new ToolError(
        `taking back the folder ${quote(slot.path)} failed: ${quote(others[0]?.toString() ?? "")} was put into it since; move that away first`,
      );
    removeChain(sys, slot, below, fd);
  } finally {
    sys.descriptor.close(fd);
  }
  sys.file.unlink(folder, name, "directory");
}

function withDeepest(sys: System, place: Place, below: readonly string[], use: (fd: number) => FileStatus): FileStatus | null {
  try {
    const fd = sys.file.open(place.folder, [place.name, ...below].join("/"), ["path"], ["no-symlinks"]);
    try {
      return use(fd);
    } finally {
      sys.descriptor.close(fd);
    }
  } catch (error) {
    if (isSysError(error, "ENOENT")) return null;
    throw error;
  }
}
