import { z } from "zod";
import type { FileStatus } from "../../../sys/file/calls.ts";
import { quote, showName } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool } from "../../tool.ts";
import { fitting, joined } from "./shared/answer.ts";
import { doing } from "./shared/failure.ts";
import { answer_bytes_max, FileTypeField, modeText, pathField, timeText } from "./shared/fields.ts";
import { namesFromOutside } from "./shared/names.ts";
import { checked, demandType, type PlaceTarget, targetOf } from "./shared/target.ts";
import { type Step, walk } from "./shared/walk.ts";

const entries_max = 100_000;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The folder to list"),
    depth: z
      .number()
      .int()
      .min(1)
      .max(32)
      .default(1)
      .describe("1: what is in it; more: also what is in the folders below, so many levels deep"),
    sort: z.enum(["name", "size", "mtime"]).default("name").describe("name: by the path's bytes; size: largest first; mtime: newest first"),
    types: z.array(FileTypeField).max(7).default([]).describe("Only these types; empty: all"),
    offset: z.number().int().min(0).max(entries_max).default(0).describe("How many entries to pass over"),
    limit: z.number().int().min(1).max(1000).default(200).describe("How many entries to tell at most"),
  }),
);

const Entry = z.lazy(() =>
  z.strictObject({
    name: z.string().describe("Below the listed folder"),
    bytes_base64: z.string().optional().describe("The name's bytes, when it is no text; such a file cannot be named by a call"),
    type: FileTypeField,
    mode: z.string(),
    uid: z.number().int(),
    gid: z.number().int(),
    links: z.number().int(),
    size_bytes: z.number().int(),
    mtime: z.string(),
    link_to: z.string().optional(),
    closed: z.string().optional().describe("Why a folder was not entered: it is another mount, the broker's, or the trash"),
  }),
);
type Entry = z.infer<typeof Entry>;

const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    entries: z.array(Entry),
    total: z.number().int().describe("Entries that there are"),
    next_offset: z.number().int().nullable().describe("Where to go on; null at the end"),
  }),
);
type Output = z.infer<typeof Output>;

export const list = defineTool<z.infer<typeof Input>, Output, PlaceTarget<Occupied>>({
  name: "fs.list",
  title: "List a folder",
  description:
    "What is in a folder, page by page, with type, size, owner and time; with depth also what is in the folders below. Links are not followed, other mounts not entered. " +
    "To look for names, sizes or ages use fs.find; for text in files fs.search; for how much a tree takes fs.usage.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 30_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ path, entries }) => namesFromOutside(path, entries.length),
  image: null,
  resolve(input, context) {
    const place = openExisting(context, input.path, "follow");
    checked(place, () => demandType(place, "directory", `listing ${quote(input.path)}`));
    return targetOf(place, resourcesOf(place, "read", { recursive: input.depth > 1 }));
  },
  run: ({ place }, input, context) =>
    doing(`listing ${quote(place.path)}`, async () => {
      const found: { readonly key: Buffer; readonly status: FileStatus; readonly entry: Entry }[] = [];
      for await (const step of walk(context, place, { depth_max: input.depth, entries_max })) {
        if (step.names.length === 0 || (input.types.length > 0 && !input.types.includes(step.status.type))) continue;
        const key = joined(step.names);
        found.push({ key, status: step.status, entry: entryOf(key, step, context.sys.file.readLink) });
      }
      if (input.sort === "size") found.sort((a, b) => b.status.size_bytes - a.status.size_bytes || Buffer.compare(a.key, b.key));
      if (input.sort === "mtime") found.sort((a, b) => Number(b.status.mtime_ns - a.status.mtime_ns) || Buffer.compare(a.key, b.key));
      const entries = fitting(
        found.slice(input.offset, input.offset + input.limit).map(({ entry }) => entry),
        answer_bytes_max,
      );
      const next = input.offset + entries.length;
      return { path: place.path, entries, total: found.length, next_offset: next < found.length ? next : null };
    }),
});

function entryOf(path: Buffer, { status, fd, closed }: Step, readLink: (at: number, name: string) => Buffer): Entry {
  const { type, mode, uid, gid, links, size_bytes, mtime_ns } = status;
  return {
    ...{ ...showName(path), type, mode: modeText(mode), uid, gid, links, size_bytes, mtime: timeText(mtime_ns) },
    ...(type === "symlink" ? { link_to: showName(readLink(fd, "")).name } : {}),
    ...(closed === null || closed === "depth" ? {} : { closed }),
  };
}
