import { z } from "zod";
import type { Context } from "../../context.ts";
import { quote, textOf } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { readAttributes } from "./shared/attributes.ts";
import { openForReading, readWhole, sha256 } from "./shared/content.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import {
  ReplaceImage,
  replaceImage,
  replaceSettled,
  runReplace,
  undoReplace,
  verifyReplace,
  verifyUndoneReplace,
} from "./shared/replace.ts";
import { checked, demandStorage, demandType, type PlaceTarget, targetOf } from "./shared/target.ts";
import { withoutPrivileges } from "./write.ts";

const file_bytes_max = 4 * 1024 * 1024;

const Edit = z.lazy(() =>
  z.strictObject({
    old: z
      .string()
      .min(1)
      .max(50_000)
      .describe("The text to replace, exactly as it is in the file, with its white space; long enough to be there only once"),
    new: z.string().max(50_000).describe("What to put there; empty: the old text goes"),
    all: z.boolean().default(false).describe("Replace it everywhere; otherwise it has to be there exactly once"),
  }),
);
const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The text file to edit; a symbolic link is followed"),
    edits: z.array(Edit).min(1).max(50).describe("Made one after the other, each on what the one before has left"),
    expected_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe("Of the whole file as you know it: when it is another by now, nothing is done"),
    break_links: z
      .boolean()
      .default(false)
      .describe("Whether a file with several names may be edited: the other names keep the old content"),
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    replaced: z.array(z.number().int()).describe("How often each edit's text was replaced"),
    size_bytes: z.number().int(),
    sha256: z.string().describe("Of the whole file now"),
  }),
);

interface Edited {
  readonly content: Buffer;
  readonly replaced: readonly number[];
  /** Of what it was made from. */
  readonly from_sha256: string;
}

export const edit = defineTool<Input, z.infer<typeof Output>, PlaceTarget<Occupied>, ReplaceImage>({
  name: "fs.edit",
  title: "Edit a text file",
  description:
    "Replaces pieces of text in a UTF-8 file of at most 4 MiB by other text, all edits or none, atomically. The pieces are given exactly: no patterns. " +
    "Read the file first (fs.read). To write a whole file or to add to its end use fs.write.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 30_000,
  idempotent: false,
  tainted: false,
  image: ReplaceImage,
  resolve(input, context) {
    const what = `editing ${quote(input.path)}`;
    const place = checked(openExisting(context, input.path, "follow"), (one) => {
      demandType(one, "file", what);
      demandStorage(one, what);
      if (one.status.links > 1 && !input.break_links)
        throw new ToolError(
          `${what} failed: it has ${one.status.links} names (hard links), and the others would keep the old content; say "break_links": true when that is meant`,
        );
    });
    return targetOf(place, [...resourcesOf(place, "read"), ...resourcesOf(place, "write")]);
  },
  preview: ({ place }, input, context) =>
    doing(`editing ${quote(place.path)}`, () => {
      const { content, replaced } = edited(place, input, context);
      const changes = input.edits.map((one, index) => `${replaced[index] ?? 0} × ${quote(one.old)} → ${quote(one.new)}`);
      return { changes: [`edits ${quote(place.path)}: ${place.status.size_bytes} bytes become ${content.length}`, ...changes], final: [] };
    }),
  snapshot: ({ place }, input, context) =>
    doing(`editing ${quote(place.path)}`, () => replaceImage(context, place, edited(place, input, context).content)),
  run: ({ place }, input, context) =>
    doing(`editing ${quote(place.path)}`, async () => {
      const { content, replaced } = edited(place, input, context);
      await runReplace(context, place, content, withoutPrivileges(readAttributes(context.sys, place.fd)));
      return { path: place.path, replaced: [...replaced], size_bytes: content.length, sha256: sha256(content) };
    }),
  verify: ({ place }, _input, output, context) => verifyReplace(context, place, output.sha256),
  settled: (image, past, context) => replaceSettled(image, context, past.call),
  undo: (image, past, context) => undoReplace(image, context, past.call),
  verifyUndone: (image, _past, context) => verifyUndoneReplace(image, context),
});

/** @throws {ToolError} when a text is not there, or not just once */
function edited(place: Occupied, input: Input, { sys }: Context): Edited {
  const what = `editing ${quote(place.path)}`;
  const fd = openForReading(sys, place.fd);
  try {
    const bytes = readWhole(fd, file_bytes_max, what);
    const from_sha256 = sha256(bytes);
    if (input.expected_sha256 !== undefined && input.expected_sha256 !== from_sha256)
      throw new ToolError(`${what} failed: it is not the file that was expected (sha256 ${from_sha256}); read it again`);
    const text = textOf(bytes);
    if (text === null) throw new ToolError(`${what} failed: it is not UTF-8; write it as a whole with fs.write`);
    const replaced: number[] = [];
    const result = input.edits.reduce((current, one, index) => {
      const pieces = current.split(one.old);
      demandFound(pieces.length - 1, one.all, `${what} failed: edit ${index + 1}: the text ${quote(one.old)}`);
      replaced.push(pieces.length - 1);
      return pieces.join(one.new);
    }, text);
    if (!result.isWellFormed()) throw new ToolError(`${what} failed: a new text holds half of a surrogate pair`);
    const content = Buffer.from(result);
    if (content.length > file_bytes_max) throw new ToolError(`${what} failed: it would be larger than ${file_bytes_max} bytes`);
    return { content, replaced, from_sha256 };
  } finally {
    sys.descriptor.close(fd);
  }
}

function demandFound(times: number, all: boolean, what: string): void {
  if (times === 0) throw new ToolError(`${what} is not in the file; read it again, white space counts`);
  if (times > 1 && !all) throw new ToolError(`${what} is there ${times} times; give more of what is around it, or say "all": true`);
}
