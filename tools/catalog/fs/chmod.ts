import { z } from "zod";
import type { FileStatus } from "../../../sys/file/calls.ts";
import { quote } from "../../paths/path-text.ts";
import { openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { type Change, EachImage, type EachTarget, eachImage, runEach, undoEach, verifyEach, verifyUndoneEach } from "./shared/each-file.ts";
import { doing } from "./shared/failure.ts";
import { ModeField, modeText, parseMode, pathField, SetuidField } from "./shared/fields.ts";
import { checked, demandStorage, targetOf } from "./shared/target.ts";

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("Whose permissions to set; a symbolic link is followed"),
    mode: ModeField,
    recursive: z.boolean().default(false).describe("Also everything in a folder; symbolic links are passed over"),
    folder_mode: ModeField.optional().describe("With recursive: another mode for the folders, which need x to be entered"),
    allow_setuid: SetuidField,
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    mode: z.string(),
    files: z.number().int().describe("How many files and folders have it now"),
  }),
);

export const chmod = defineTool<Input, z.infer<typeof Output>, EachTarget, EachImage>({
  name: "fs.chmod",
  title: "Set permissions",
  description:
    "Sets the mode of a file or folder, with recursive of a whole tree (at most 100,000 entries; refused when a file in it has hard links outside). Who owns it is set by fs.chown.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: EachImage,
  resolve(input, context) {
    const what = `setting the mode of ${quote(input.path)}`;
    const place = checked(openExisting(context, input.path, "follow"), (one) => {
      parseMode(input.mode, input.allow_setuid, one.status.type === "directory" && !input.recursive);
      if (input.folder_mode !== undefined && !input.recursive) throw new ToolError(`${what} failed: folder_mode goes with recursive`);
      demandStorage(one, what);
    });
    return {
      ...targetOf(place, resourcesOf(place, "write", { recursive: input.recursive, allow_setuid: input.allow_setuid })),
      known: new Set(),
    };
  },
  preview: ({ place }, input) => ({
    changes: [
      `sets the mode of ${quote(place.path)}${input.recursive ? " and everything in it" : ""} from ${modeText(place.status.mode)} to ${input.mode}`,
    ],
    final: [],
  }),
  snapshot: (target, input, context) =>
    doing(`keeping the modes of ${quote(target.place.path)}`, () =>
      eachImage(context, target, input.recursive, changeOf(input), `setting the mode of ${quote(target.place.path)}`),
    ),
  run: (target, input, context) =>
    doing(`setting the mode of ${quote(target.place.path)}`, async () => {
      const files = await runEach(context, target, input.recursive, changeOf(input));
      return { path: target.place.path, mode: modeText(context.sys.file.status(target.place.fd).mode), files };
    }),
  verify: ({ place }, input, _output, context) => verifyEach(context, place, input.recursive, changeOf(input)),
  undo: (image, _past, context) => undoEach(image, context),
  verifyUndone: (image, _past, context) => verifyUndoneEach(image, context),
});

function changeOf(input: Input): Change {
  return ({ type, uid, gid }: FileStatus) => {
    if (type === "symlink") return null;
    const text = type === "directory" ? (input.folder_mode ?? input.mode) : input.mode;
    return { mode: parseMode(text, true, type === "directory"), uid, gid };
  };
}
