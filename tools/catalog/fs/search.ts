import { z } from "zod";
import type { Context } from "../../context.ts";
import { quote, showName } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { nameMatcher } from "./find.ts";
import { fitting, joined } from "./shared/answer.ts";
import { openForReading, readPart } from "./shared/content.ts";
import { doing } from "./shared/failure.ts";
import { answer_bytes_max, pathField } from "./shared/fields.ts";
import { type PlaceTarget, targetOf } from "./shared/target.ts";
import { walk } from "./shared/walk.ts";

const mebibyte = 1024 * 1024;
const entries_max = 2_000_000;
/** A file is read whole or not at all. */
const file_bytes_max = 16 * mebibyte;
/** What goes to the program at once; its start takes longer than its work on less. */
const batch_bytes = 16 * mebibyte;
/** A longer line is no text for people; the program would tell it whole. */
const line_bytes_max = 64 * 1024;
const output_bytes_max = 16 * mebibyte;
/** Characters of a line that are told, around the match. */
const shown_chars = 300;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The folder to search, with all below it, or one file"),
    pattern: z.string().min(1).max(1000).describe("What to look for in each line"),
    regex: z
      .boolean()
      .default(false)
      .describe(
        "Whether the pattern is a regular expression (Rust's syntax: linear time, without look-around and back-references) or plain text",
      ),
    ignore_case: z.boolean().default(false),
    name: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe("Only in files whose own name fits this pattern: * any characters, ? one, [abc] one of these"),
    depth: z.number().int().min(1).max(512).default(512),
    limit: z.number().int().min(1).max(500).default(100).describe("How many lines to tell at most"),
    bytes_max: z
      .number()
      .int()
      .min(1)
      .max(1024 * mebibyte)
      .default(128 * mebibyte)
      .describe("How much to read at most, all files together, bytes"),
  }),
);

const Match = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    bytes_base64: z.string().optional().describe("The path below the folder in bytes, when it is no text"),
    line: z.number().int().describe("Number of the line, from 1"),
    offset: z.number().int().describe("Where the line begins in the file, bytes: for fs.read"),
    text: z.string().describe("The line; when it is long, what is around the match"),
  }),
);
type Match = z.infer<typeof Match>;
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    matches: z.array(Match).describe("In the order of the paths"),
    truncated: z.boolean().describe("Whether there is more than is told, or more than was read: search a part, or more narrowly"),
    files: z.number().int().describe("Files that were searched"),
    bytes: z.number().int(),
    passed_over: z.strictObject({
      binary: z.number().int(),
      large: z.number().int().describe(`Larger than ${file_bytes_max} bytes`),
      long_lines: z.number().int().describe(`With a line longer than ${line_bytes_max} bytes`),
      unreadable: z.number().int(),
    }),
  }),
);
type PassedOver = z.infer<typeof Output>["passed_over"];

export const search = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, PlaceTarget<Occupied>>({
  name: "fs.search",
  title: "Search text in files",
  description:
    "Looks for a text or a regular expression line by line in all files of a tree, and tells the lines with their places. Passes over binary and very large files, links and other mounts. " +
    "To find files by name, size or age use fs.find; to read around a find use fs.read at its offset.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: true,
  concurrency_max: 2,
  image: null,
  resolve(input, context) {
    const place = openExisting(context, input.path, "follow");
    return targetOf(place, resourcesOf(place, "read", { recursive: place.status.type === "directory" }));
  },
  run: ({ place }, input, context) => doing(`searching ${quote(place.path)}`, () => searched(place, input, context)),
});

interface Batch {
  readonly files: { readonly path: Buffer; readonly begin: number; readonly first_line: number }[];
  readonly pieces: Buffer[];
  bytes: number;
  lines: number;
}

async function searched(place: Occupied, input: z.infer<typeof Input>, context: Context): Promise<z.infer<typeof Output>> {
  const passed_over = { binary: 0, large: 0, long_lines: 0, unreadable: 0 };
  const matches: Match[] = [];
  let bytes = 0;
  let files = 0;
  let truncated = false;
  let batch = newBatch();
  const finish = async (): Promise<void> => {
    const found = await matchesIn(batch, place, input, context, input.limit - matches.length);
    matches.push(...found.matches);
    truncated ||= found.truncated;
    batch = newBatch();
  };
  const fits = input.name === undefined ? null : nameMatcher(input.name);
  for await (const { names, status, fd } of walk(context, place, { depth_max: input.depth, entries_max })) {
    if (status.type !== "file" || (fits !== null && !fits((names.at(-1) ?? Buffer.from(place.name)).toString()))) continue;
    const content = textIn(fd, status.size_bytes, passed_over, context);
    if (content === null) continue;
    if (bytes + content.length > input.bytes_max) {
      truncated = true;
      break;
    }
    addTo(batch, joined(names), content);
    bytes += content.length;
    files += 1;
    if (batch.bytes >= batch_bytes) await finish();
    if (matches.length >= input.limit) break;
  }
  if (matches.length < input.limit) await finish();
  const told = fitting(matches, answer_bytes_max);
  return { path: place.path, matches: told, truncated: truncated || told.length < matches.length, files, bytes, passed_over };
}

function newBatch(): Batch {
  return { files: [], pieces: [], bytes: 0, lines: 0 };
}

/** Each file ends with its own line end, so that no line belongs to two. */
function addTo(batch: Batch, path: Buffer, content: Buffer): void {
  const piece = content.at(-1) === 0x0a ? content : Buffer.concat([content, Buffer.from("\n")]);
  batch.files.push({ path, begin: batch.bytes, first_line: batch.lines });
  batch.pieces.push(piece);
  batch.bytes += piece.length;
  batch.lines += linesIn(piece);
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}

function textIn(path_fd: number, size_bytes: number, passed_over: PassedOver, { sys }: Context): Buffer | null {
  if (size_bytes === 0) return null;
  if (size_bytes > file_bytes_max) {
    passed_over.large += 1;
    return null;
  }
  let content: Buffer;
  try {
    const fd = openForReading(sys, path_fd);
    try {
      content = readPart(fd, 0, size_bytes);
    } finally {
      sys.descriptor.close(fd);
    }
  } catch {
    passed_over.unreadable += 1;
    return null;
  }
  if (content.includes(0)) passed_over.binary += 1;
  else if (hasLongLine(content)) passed_over.long_lines += 1;
  else return content;
  return null;
}

function hasLongLine(bytes: Buffer): boolean {
  for (let at = 0; at + line_bytes_max < bytes.length; ) {
    const end = bytes.lastIndexOf(0x0a, at + line_bytes_max);
    if (end < at) return true;
    at = end + 1;
  }
  return false;
}

/** What ripgrep tells with --json (docs.rs/grep-printer, JSON): one message a line. */
const Text = z.union([z.object({ text: z.string() }), z.object({ bytes: z.string() })]);
const Message = z.union([
  z.object({
    type: z.literal("match"),
    data: z.object({
      lines: Text,
      line_number: z.number().int(),
      absolute_offset: z.number().int(),
      submatches: z.array(z.object({ start: z.number().int(), end: z.number().int() })),
    }),
  }),
  z.object({ type: z.enum(["begin", "end", "context", "summary"]) }),
]);

/** The program sees no file system at all: what it searches comes on its standard input. */
async function matchesIn(
  batch: Batch,
  place: Occupied,
  input: z.infer<typeof Input>,
  { exec }: Context,
  limit: number,
): Promise<{ readonly matches: Match[]; readonly truncated: boolean }> {
  const options = ["--json", "--no-config", "--encoding", "none", "--text", "--max-count", String(limit + 1), "--regex-size-limit", "10M"];
  const finished = await exec.run({
    argv: [
      "/usr/bin/rg",
      ...options,
      ...(input.regex ? [] : ["--fixed-strings"]),
      ...(input.ignore_case ? ["--ignore-case"] : []),
      "-e",
      input.pattern,
      "-",
    ],
    sandbox: {},
    stdin: Buffer.concat(batch.pieces),
    limits: { timeout_ms: 60_000, memory_max_bytes: 512 * mebibyte, pids_max: 16, output_bytes_max },
  });
  if (finished.ended_for !== null)
    throw new ToolError(`searching ${quote(place.path)} failed: it was ended for ${finished.ended_for}; search a smaller part`);
  if (finished.status !== 0 && finished.status !== 1) {
    const why = Buffer.from(finished.stderr).toString().trim().slice(0, 500);
    throw new ToolError(`searching ${quote(place.path)} for ${quote(input.pattern)} failed: ${why}`);
  }
  const lines = Buffer.from(finished.stdout).toString().split("\n").slice(0, -1);
  const matches: Match[] = [];
  for (const line of lines) {
    const message = Message.parse(JSON.parse(line));
    if (message.type === "match") matches.push(matchOf(message.data, batch, place));
  }
  return { matches: matches.slice(0, limit), truncated: matches.length > limit || finished.stdout_dropped_bytes > 0 };
}

function matchOf(data: Extract<z.infer<typeof Message>, { type: "match" }>["data"], batch: Batch, place: Occupied): Match {
  const file = fileAt(batch, data.absolute_offset);
  const line = "text" in data.lines ? Buffer.from(data.lines.text) : Buffer.from(data.lines.bytes, "base64");
  const { name, ...bytes } = showName(file.path);
  return {
    path: name === "" ? place.path : `${place.path === "/" ? "" : place.path}/${name}`,
    ...bytes,
    line: data.line_number - file.first_line,
    offset: data.absolute_offset - file.begin,
    text: around(line, data.submatches[0]?.start ?? 0),
  };
}

/** The last file that begins at or before the offset. */
function fileAt({ files }: Batch, offset: number): Batch["files"][number] {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((files[middle]?.begin ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return files[low] ?? { path: Buffer.alloc(0), begin: 0, first_line: 0 };
}

function around(line: Buffer, match_start: number): string {
  const whole = line.toString().replace(/\r?\n$/, "");
  if (whole.length <= shown_chars) return whole;
  const at = line.subarray(0, match_start).toString().length;
  const begin = Math.max(0, Math.min(at - shown_chars / 4, whole.length - shown_chars));
  return `${begin > 0 ? "…" : ""}${whole.slice(begin, begin + shown_chars)}${begin + shown_chars < whole.length ? "…" : ""}`;
}
