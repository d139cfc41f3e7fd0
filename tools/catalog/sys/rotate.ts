import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { isWithin, quote } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { joined } from "../fs/shared/answer.ts";
import { doing } from "../fs/shared/failure.ts";
import { pathField } from "../fs/shared/fields.ts";
import { demandStorage, demandType } from "../fs/shared/target.ts";
import { walk } from "../fs/shared/walk.ts";
import { archivedAt, archivesOf, LogImage, logImage, rotate as rotateLog, undoRotate, verifyUndoneRotate } from "./shared/log-file.ts";

const mib = 1024 * 1024;
/** Packing a larger one takes longer than a call may. */
const log_bytes_max = 4096 * mib;
const files_max = 64;
const entries_max = 20_000;
const depth_max = 4;

const Input = z.lazy(() =>
  z.strictObject({
    files: z
      .array(pathField("a log file"))
      .max(files_max)
      .default([])
      .describe("only these; none: every *.log in the data partition's log folder and in the folders of defined services"),
    size_min_bytes: z
      .number()
      .int()
      .min(1)
      .max(log_bytes_max)
      .default(mib)
      .describe("those of so many bytes and more; 1: at once, whatever their size"),
    age_min_s: z
      .number()
      .int()
      .min(60)
      .max(31_536_000)
      .nullable()
      .default(null)
      .describe("also smaller ones that were last rotated so many seconds ago, or were made then"),
    keep: z.number().int().min(1).max(100).default(7).describe("archives of each log that stay, the newest; older ones go"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() =>
  z.strictObject({
    rotated: z.array(
      z.strictObject({
        path: z.string(),
        archive: z.string().describe("the new archive's name, beside it: zstd"),
        size_bytes: z.number().int(),
        archive_bytes: z.number().int(),
        removed: z.array(z.string()).describe("archives that went, as there were too many"),
      }),
    ),
    passed_over: z.number().int().describe("logs that are neither large nor old enough"),
  }),
);
type Output = z.infer<typeof Output>;

interface RotateTarget extends Target {
  readonly logs: readonly Occupied[];
  readonly passed_over: number;
  /** What was decided when the before-image was taken, for the run that follows. */
  readonly images: LogImage[];
}

const Image = z.lazy(() => z.strictObject({ logs: z.array(LogImage) }));
type Image = z.infer<typeof Image>;

export const rotate = defineTool<Input, Output, RotateTarget, Image>({
  name: "sys.rotate",
  title: "Rotate logs",
  description:
    "Packs what log files hold into compressed archives beside them and empties the logs, by size or age, and keeps a number of archives. Whoever writes to a log goes on writing. Use it when logs grow; sys.clean is for caches and temporary files, which are gone for good; fs.remove for anything else. What PID 1 and the kernel write is in memory (sys.logs), and the audit is never touched.",
  input: Input,
  output: Output,
  risk: "compensable",
  timeout_ms: 900_000,
  idempotent: true,
  tainted: false,
  concurrency_max: 1,
  changedNothing: ({ rotated }) => rotated.length === 0,
  image: Image,
  async resolve(input, context) {
    const what = "rotating logs";
    const folders = logFolders(context.places);
    const paths = input.files.length > 0 ? input.files : await logsIn(folders, context);
    const logs: Occupied[] = [];
    let passed_over = 0;
    try {
      for (const path of new Set(paths)) {
        const place = openExisting(context, path, "itself");
        logs.push(place);
        demandType(place, "file", what);
        demandStorage(place, what);
        if (place.status.size_bytes > log_bytes_max)
          throw new ToolError(
            `${what} failed: ${quote(place.path)} is larger than ${log_bytes_max} bytes; remove it with fs.remove instead`,
          );
        if (place.status.links > 1) throw new ToolError(`${what} failed: ${quote(place.path)} has several names (hard links)`);
        if (isDue(place, input, context)) continue;
        logs.pop()?.close();
        passed_over += 1;
      }
    } catch (error) {
      for (const one of logs) one.close();
      throw error;
    }
    const resources = logs.flatMap((place) =>
      resourcesOf(place, "write", folders.some((folder) => isWithin(place.path, folder)) ? { purpose: "logs" } : {}),
    );
    const all: Resource = { kind: "system", id: "logs", access: "write", attributes: {} };
    return { logs, passed_over, images: [], resources: [all, ...resources], close: () => logs.forEach((one) => void one.close()) };
  },
  preview: ({ logs }, { keep }, context) => ({
    changes: logs.map((place) => `${quote(place.path)} with ${place.status.size_bytes} bytes is packed and emptied`),
    final: logs.flatMap((place) => archivesOf(context, place).slice(keep - 1)).map((name) => `${quote(name)} goes`),
  }),
  async snapshot({ logs, images: kept }, { keep }, context) {
    const images: LogImage[] = [];
    for (const place of logs) images.push(await logImage(context, place, keep));
    kept.push(...images);
    return { logs: images };
  },
  run: ({ logs, passed_over, images }, _, context) =>
    doing("rotating logs", async () => {
      const rotated: Output["rotated"] = [];
      for (const [index, place] of logs.entries()) {
        const image = images[index];
        if (image === undefined) throw new ToolError(`rotating ${quote(place.path)} failed: nothing is known of how it was`);
        const made = await rotateLog(context, place, image);
        rotated.push({ path: place.path, ...made, removed: image.dropped.map(({ name }) => name) });
      }
      return { rotated, passed_over };
    }),
  async undo({ logs }, { call }, context) {
    for (const image of logs.toReversed()) await undoRotate(image, call, context);
  },
  async verifyUndone({ logs }, _, context) {
    for (const image of logs) await verifyUndoneRotate(image, context);
  },
});

function logFolders({ data }: Context["places"]): string[] {
  return [`${data}/log`, `${data}/services`];
}

function isDue(place: Occupied, { size_min_bytes, age_min_s }: Input, context: Context): boolean {
  const { size_bytes, btime_ns, mtime_ns } = place.status;
  if (size_bytes === 0) return false;
  if (size_bytes >= size_min_bytes) return true;
  if (age_min_s === null) return false;
  const [newest] = archivesOf(context, place);
  const since_ms = newest === undefined ? Number((btime_ns ?? mtime_ns) / 1_000_000n) : archivedAt(newest);
  return context.clock.now_ms() - since_ms >= age_min_s * 1000;
}

/** Not through links, and not into other mounts. @throws {ToolError} when there are too many */
async function logsIn(folders: readonly string[], context: Context): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    let place: Occupied;
    try {
      place = openExisting(context, folder, "itself");
    } catch {
      continue; // there is none
    }
    try {
      if (place.status.type !== "directory") continue;
      for await (const { names, status } of walk(context, place, { depth_max, entries_max })) {
        const path = `${place.path}/${joined(names).toString()}`;
        if (status.type === "file" && path.endsWith(".log") && status.links === 1 && Buffer.from(path).toString() === path)
          found.push(path);
      }
    } finally {
      place.close();
    }
  }
  if (found.length > files_max)
    throw new ToolError(`rotating logs failed: there are ${found.length}, ${files_max} at the most; give "files"`);
  return found;
}
