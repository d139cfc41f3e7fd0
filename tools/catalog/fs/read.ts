import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool } from "../../tool.ts";
import { openForReading, readPart } from "./shared/content.ts";
import { doing } from "./shared/failure.ts";
import { answer_bytes_max, pathField, timeText } from "./shared/fields.ts";
import { checked, demandType, type PlaceTarget, targetOf } from "./shared/target.ts";

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The file to read; a symbolic link is followed"),
    offset: z
      .number()
      .int()
      .min(-Number.MAX_SAFE_INTEGER)
      .max(Number.MAX_SAFE_INTEGER)
      .default(0)
      .describe("Where to begin, bytes; negative: so many bytes before the end"),
    limit_bytes: z.number().int().min(1).max(answer_bytes_max).default(answer_bytes_max).describe("How much to read at most, bytes"),
    encoding: z
      .enum(["auto", "text", "base64"])
      .default("auto")
      .describe("text: UTF-8, with what is not UTF-8 replaced; base64: the bytes; auto: text when it is UTF-8, else base64"),
  }),
);

const Output = z.lazy(() =>
  z.strictObject({
    path: z.string().describe("The file's real path"),
    encoding: z.enum(["text", "base64"]),
    content: z.string(),
    offset: z.number().int().describe("Where the content begins, bytes"),
    next_offset: z.number().int().nullable().describe("Where to go on reading; null at the end"),
    size_bytes: z.number().int().describe("Of the whole file; 0 for files that the kernel makes up, as in /proc"),
    mtime: z.string(),
  }),
);
type Output = z.infer<typeof Output>;

export const read = defineTool<z.infer<typeof Input>, Output, PlaceTarget<Occupied>>({
  name: "fs.read",
  title: "Read a file",
  description:
    "Reads a part of one file, at most 64 KiB at once: go on at next_offset. Reads also files of /proc and /sys. Leaves the access time as it is. " +
    "Not for folders (fs.list), for what a file is (fs.stat), for finding text in many files (fs.search), or for devices and pipes.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 10_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve(input, context) {
    const place = openExisting(context, input.path, "follow");
    checked(place, () => demandType(place, "file", `reading ${quote(input.path)}`));
    return targetOf(place, resourcesOf(place, "read"));
  },
  run: ({ place }, input, { sys }) =>
    doing(`reading ${quote(place.path)}`, () => {
      const fd = openForReading(sys, place.fd);
      try {
        const { size_bytes, mtime_ns } = sys.file.status(fd);
        const offset = input.offset < 0 ? Math.max(0, size_bytes + input.offset) : input.offset;
        const piece = readPart(fd, offset, input.limit_bytes);
        const { encoding, content, used_bytes } = encoded(piece, input.encoding);
        const next_offset = piece.length < input.limit_bytes && used_bytes === piece.length ? null : offset + used_bytes;
        return {
          ...{ path: place.path, encoding, content, offset, size_bytes, mtime: timeText(mtime_ns) },
          next_offset: next_offset === size_bytes && size_bytes > 0 ? null : next_offset,
        };
      } finally {
        sys.descriptor.close(fd);
      }
    }),
});

/** A character that the limit has cut stays for the next piece, unless it is all there is. */
function encoded(piece: Buffer, wanted: "auto" | "text" | "base64"): { encoding: "text" | "base64"; content: string; used_bytes: number } {
  if (wanted !== "base64") {
    const whole = withoutCutCharacter(piece);
    if (wanted === "text" || isText(whole)) return { encoding: "text", content: whole.toString(), used_bytes: whole.length };
  }
  return { encoding: "base64", content: piece.toString("base64"), used_bytes: piece.length };
}

/** UTF-8 as a model can read it: no zero bytes. */
function isText(bytes: Buffer): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Bytes of the character that a first byte begins; 0 for one that begins none. */
function characterBytes(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 0;
}

function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back < bytes.length; back++) {
    const first = bytes[bytes.length - back] ?? 0;
    if (first >= 0x80 && first < 0xc0) continue;
    return characterBytes(first) > back ? bytes.subarray(0, -back) : bytes;
  }
  return bytes;
}
