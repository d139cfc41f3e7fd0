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
import { walk } from "./shared/walk.ts";

const entries_max = 2_000_000;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The folder to look through"),
    name: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe(
        "Pattern of the file's own name: * any characters, ? one, [abc] one of these; the whole name has to fit. Letters as they are written",
      ),
    types: z.array(FileTypeField).max(7).default([]).describe("Only these types; empty: all"),
    size_min_bytes: z.number().int().min(0).optional(),
    size_max_bytes: z.number().int().min(0).optional(),
    changed_within_s: z.number().min(0).max(1e12).optional().describe("Content changed at most so many seconds ago"),
    changed_before_s: z.number().min(0).max(1e12).optional().describe("Content changed at least so many seconds ago"),
    uid: z.number().int().min(0).max(4_294_967_294).optional().describe("Only what this user owns"),
    mode_any: z
      .string()
      .regex(/^[0-7]{3,4}$/)
      .optional()
      .describe('Only what has any of these permission bits, in octal: "6000" finds setuid and setgid, "0002" what everyone may write'),
    depth: z.number().int().min(1).max(512).default(512).describe("How many levels deep to look"),
    offset: z.number().int().min(0).max(entries_max).default(0).describe("How many finds to pass over"),
    limit: z.number().int().min(1).max(1000).default(200),
  }),
);
type Input = z.infer<typeof Input>;

const Found = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    bytes_base64: z.string().optional().describe("The path below the folder in bytes, when it is no text"),
    type: FileTypeField,
    size_bytes: z.number().int(),
    mode: z.string(),
    uid: z.number().int(),
    mtime: z.string(),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    found: z.array(Found).describe("In the order of their paths"),
    seen: z.number().int().describe("Entries that were looked at"),
    next_offset: z.number().int().nullable().describe("Where to go on; null when there is nothing more"),
  }),
);

export const find = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, PlaceTarget<Occupied>>({
  name: "fs.find",
  title: "Find files",
  description:
    "Looks through a tree for files by name, type, size, age, owner or permissions. Does not follow links or enter other mounts. To find text inside of files use fs.search; to list a folder fs.list.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ path, found }) => namesFromOutside(path, found.length),
  image: null,
  resolve(input, context) {
    const place = checked(openExisting(context, input.path, "follow"), (one) =>
      demandType(one, "directory", `looking through ${quote(input.path)}`),
    );
    return targetOf(place, resourcesOf(place, "read", { recursive: true }));
  },
  run: ({ place }, input, context) =>
    doing(`looking through ${quote(place.path)}`, async () => {
      const fits = filterOf(input, context.clock.now_ms());
      const found: z.infer<typeof Found>[] = [];
      let seen = 0;
      let matches = 0;
      let more = false;
      for await (const { names, status } of walk(context, place, { depth_max: input.depth, entries_max })) {
        const name = names.at(-1);
        if (name === undefined) continue;
        seen += 1;
        if (!fits(name, status)) continue;
        matches += 1;
        if (matches <= input.offset) continue;
        more = found.length === input.limit;
        if (more) break;
        found.push(foundAs(place.path, joined(names), status));
      }
      const told = fitting(found, answer_bytes_max);
      const rest = more || told.length < found.length;
      return { path: place.path, found: told, seen, next_offset: rest ? input.offset + told.length : null };
    }),
});

function filterOf(input: Input, now_ms: number): (name: Buffer, status: FileStatus) => boolean {
  const fits = input.name === undefined ? null : nameMatcher(input.name);
  const mode_any = input.mode_any === undefined ? null : Number.parseInt(input.mode_any, 8);
  return (name, status) => {
    const age_s = (now_ms - Number(status.mtime_ns / 1_000_000n)) / 1000;
    return (
      (input.types.length === 0 || input.types.includes(status.type)) &&
      (input.size_min_bytes === undefined || status.size_bytes >= input.size_min_bytes) &&
      (input.size_max_bytes === undefined || status.size_bytes <= input.size_max_bytes) &&
      (input.changed_within_s === undefined || age_s <= input.changed_within_s) &&
      (input.changed_before_s === undefined || age_s >= input.changed_before_s) &&
      (input.uid === undefined || status.uid === input.uid) &&
      (mode_any === null || (status.mode & mode_any) !== 0) &&
      (fits === null || fits(name.toString()))
    );
  };
}

/** Linear but for one step back to the last star: no pattern can make it slow. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const tokens = tokensOf(pattern);
  return (name) => {
    const chars = [...name];
    let token = 0;
    let star = -1;
    let resume = 0;
    for (let at = 0; at < chars.length; ) {
      const one = tokens[token];
      if (one === "*") {
        star = token++;
        resume = at;
      } else if (one?.(chars[at] ?? "")) {
        token++;
        at++;
      } else if (star >= 0) {
        token = star + 1;
        at = ++resume;
      } else return false;
    }
    while (tokens[token] === "*") token++;
    return token === tokens.length;
  };
}

type Token = "*" | ((char: string) => boolean);

function tokensOf(pattern: string): Token[] {
  const chars = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    const end = char === "[" ? chars.indexOf("]", at + 2) : -1;
    if (char === "*") tokens.push("*");
    else if (char === "?") tokens.push(() => true);
    else if (end !== -1) {
      tokens.push(oneOf(chars.slice(at + 1, end)));
      at = end;
    } else tokens.push((one) => one === char);
  }
  return tokens;
}

/** `[abc]`, `[a-z]`, `[!a-z]` */
function oneOf(chars: readonly string[]): (char: string) => boolean {
  const not = chars[0] === "!" || chars[0] === "^";
  const set = not ? chars.slice(1) : chars;
  return (char) => {
    const inside = set.some((one, at) => {
      if (set[at + 1] === "-" && set[at + 2] !== undefined) return char >= one && char <= (set[at + 2] ?? "");
      return one === char;
    });
    return inside !== not;
  };
}

function foundAs(folder: string, path: Buffer, { type, size_bytes, mode, uid, mtime_ns }: FileStatus): z.infer<typeof Found> {
  const { name, ...bytes } = showName(path);
  return {
    path: `${folder === "/" ? "" : folder}/${name}`,
    ...bytes,
    type,
    size_bytes,
    mode: modeText(mode),
    uid,
    mtime: timeText(mtime_ns),
  };
}
