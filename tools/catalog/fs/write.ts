import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { isOccupied, openPlace, type Place } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { AppendImage, appendImage, appendSettled, runAppend, undoAppend, verifyUndoneAppend } from "./shared/append.ts";
import { type KeptAttributes, readAttributes } from "./shared/attributes.ts";
import { sha256 } from "./shared/content.ts";
import { doing } from "./shared/failure.ts";
import { ModeField, parseMode, pathField, SetuidField } from "./shared/fields.ts";
import {
  ReplaceImage,
  replaceImage,
  replaceSettled,
  runReplace,
  undoReplace,
  verifyReplace,
  verifyUndoneReplace,
} from "./shared/replace.ts";
import { statusAt } from "./shared/slot.ts";
import { checked, demandStorage, demandType, type PlaceTarget, targetOf } from "./shared/target.ts";

/** Characters; with its frame, its reason and what JSON escapes it has to fit into one message. */
const content_chars_max = 120_000;
const default_mode = 0o644;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The file to write; a symbolic link is followed to a file that is there"),
    content: z.string().max(content_chars_max).describe("What to write, at most 120,000 characters; write more by appending"),
    encoding: z.enum(["text", "base64"]).default("text").describe("text: as UTF-8; base64: the bytes that it stands for"),
    how: z
      .enum(["create", "replace", "write", "append"])
      .describe("create: only a file that is not there yet; replace: only one that is; write: either; append: behind what is there"),
    mode: ModeField.optional().describe('Permissions in octal; left out: those of the file that is replaced, "0644" for a new one'),
    uid: z
      .number()
      .int()
      .min(0)
      .max(4_294_967_294)
      .optional()
      .describe("Owner; left out: that of the file that is replaced, root for a new one"),
    gid: z.number().int().min(0).max(4_294_967_294).optional().describe("Group, likewise"),
    allow_setuid: SetuidField,
    break_links: z
      .boolean()
      .default(false)
      .describe("Whether a file with several names (hard links) may be replaced: the other names keep the old content"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() =>
  z.strictObject({
    path: z.string().describe("The file's real path"),
    created: z.boolean(),
    size_bytes: z.number().int().describe("Of the whole file now"),
    sha256: z.string().describe("Of what was written: of the whole file, or of what was appended"),
  }),
);
type Output = z.infer<typeof Output>;

const Image = z.discriminatedUnion("how", [ReplaceImage, AppendImage]);

export const write = defineTool<Input, Output, PlaceTarget, z.infer<typeof Image>>({
  name: "fs.write",
  title: "Write a file",
  description:
    "Writes a whole file, atomically: readers see the old or the new content, never a part. Keeps mode, owner and extended attributes of a file that it replaces (setuid, setgid and file capabilities go, unless the mode asks for them). " +
    "With how=append adds to the end in place. To change a part of a text file use fs.edit. Does not make folders (fs.mkdir), does not write to devices, /proc or /sys.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 30_000,
  idempotent: false,
  tainted: false,
  image: Image,
  resolve(input, context) {
    const what = `writing ${quote(input.path)}`;
    contentOf(input); // says early what is wrong with it
    const place = checked(openPlace(context, input.path, "follow"), (one) => {
      demandStorage(one, what);
      demandFitting(one, input, what);
    });
    return targetOf(place, resourcesOf(place, "write", { allow_setuid: input.allow_setuid }));
  },
  preview: ({ place }, input) => ({ changes: [describe(place, input)], final: [] }),
  snapshot: ({ place }, input, context) =>
    doing<z.infer<typeof Image>>(`keeping ${quote(place.path)}`, async () =>
      input.how === "append" && isOccupied(place)
        ? appendImage(context, place, contentOf(input))
        : replaceImage(context, place, contentOf(input)),
    ),
  run: ({ place }, input, context) =>
    doing(`writing ${quote(place.path)}`, async () => {
      const content = contentOf(input);
      if (input.how === "append" && isOccupied(place)) await runAppend(context, place, content);
      else await runReplace(context, place, content, attributesFor(place, input, context.sys));
      const status = context.sys.file.statusAt(place.folder, place.name);
      return { path: place.path, created: place.fd === null, size_bytes: status.size_bytes, sha256: sha256(content) };
    }),
  async verify({ place }, input, output, context) {
    if (input.how !== "append" || place.status === null) await verifyReplace(context, place, output.sha256);
    else if ((statusAt(context.sys, place.folder, place.name)?.size_bytes ?? 0) < place.status.size_bytes + contentOf(input).length)
      throw new ToolError(`looking at ${quote(place.path)} failed: it has not grown by what was appended`);
  },
  settled: (image, past, context) => (image.how === "append" ? appendSettled(image, context) : replaceSettled(image, context, past.call)),
  undo: (image, past, context) => (image.how === "append" ? undoAppend(image, context) : undoReplace(image, context, past.call)),
  verifyUndone: (image, _past, context) =>
    image.how === "append" ? verifyUndoneAppend(image, context) : verifyUndoneReplace(image, context),
});

function contentOf({ content, encoding, path }: Input): Buffer {
  if (encoding === "text") {
    if (!content.isWellFormed())
      throw new ToolError(`writing ${quote(path)} failed: the content holds half of a surrogate pair; give base64`);
    return Buffer.from(content);
  }
  const bytes = Buffer.from(content, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== content.replace(/=+$/, ""))
    throw new ToolError(`writing ${quote(path)} failed: the content is not base64 (RFC 4648, section 4)`);
  return bytes;
}

function demandFitting(place: Place, input: Input, what: string): void {
  if (input.mode !== undefined) parseMode(input.mode, input.allow_setuid, false);
  if (!isOccupied(place)) {
    if (input.how === "replace") throw new ToolError(`${what} failed: there is nothing to replace; use how=create`);
    return;
  }
  if (input.how === "create") throw new ToolError(`${what} failed: there is something already; use how=replace, or another path`);
  demandType(place, "file", what);
  if (input.how === "append") {
    if (input.mode !== undefined || input.uid !== undefined || input.gid !== undefined)
      throw new ToolError(`${what} failed: appending leaves mode and owner as they are; use fs.chmod and fs.chown`);
    return;
  }
  if (place.status.links > 1 && !input.break_links)
    throw new ToolError(
      `${what} failed: it has ${place.status.links} names (hard links), and the others would keep the old content; say "break_links": true when that is meant`,
    );
}

function describe(place: Place, input: Input): string {
  const bytes = contentOf(input).length;
  if (!isOccupied(place)) return `makes the file ${quote(place.path)} with ${bytes} bytes`;
  const { size_bytes } = place.status;
  if (input.how === "append") return `appends ${bytes} bytes to ${quote(place.path)}, which has ${size_bytes}`;
  return `replaces the ${size_bytes} bytes of ${quote(place.path)} by ${bytes} bytes`;
}

/** What of attributes is not handed on to other content: it would run with rights that were given to the old. */
export function withoutPrivileges(attributes: KeptAttributes): KeptAttributes {
  const { "security.capability": _capability, ...extended } = attributes.extended;
  return { ...attributes, mode: attributes.mode & ~0o6000, extended };
}

function attributesFor(place: Place, input: Input, sys: Parameters<typeof readAttributes>[0]): KeptAttributes {
  const old = place.fd === null ? null : withoutPrivileges(readAttributes(sys, place.fd));
  return {
    mode: input.mode === undefined ? (old?.mode ?? default_mode) : parseMode(input.mode, input.allow_setuid, false),
    uid: input.uid ?? old?.uid ?? 0,
    gid: input.gid ?? old?.gid ?? 0,
    atime_ns: "0",
    mtime_ns: "0",
    extended: old?.extended ?? {},
  };
}
