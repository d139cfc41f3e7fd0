import { z } from "zod";
import type { FileStatus } from "../../../sys/file/calls.ts";
import { quote } from "../../paths/path-text.ts";
import { openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { type Change, EachImage, type EachTarget, eachImage, runEach, undoEach, verifyEach, verifyUndoneEach } from "./shared/each-file.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import { checked, demandStorage, targetOf } from "./shared/target.ts";

const id = z.number().int().min(0).max(4_294_967_294).optional();

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("Whose owner to set"),
    uid: id.describe("The new owner; left out: stays"),
    gid: id.describe("The new group; left out: stays"),
    recursive: z.boolean().default(false).describe("Also everything in a folder, symbolic links themselves too"),
    follow: z.boolean().default(true).describe("Whether a symbolic link at the end of path is followed"),
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    uid: z.number().int(),
    gid: z.number().int(),
    files: z.number().int().describe("How many files and folders have it now"),
  }),
);

export const chown = defineTool<Input, z.infer<typeof Output>, EachTarget, EachImage>({
  name: "fs.chown",
  title: "Set the owner",
  description:
    "Sets owner and group of a file or folder by number, with recursive of a whole tree (at most 100,000 entries; refused when a file in it has hard links outside). " +
    "The kernel takes setuid, setgid and capabilities from a file whose owner changes. What the owner may do is set by fs.chmod.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: EachImage,
  resolve(input, context) {
    const what = `setting the owner of ${quote(input.path)}`;
    if (input.uid === undefined && input.gid === undefined) throw new ToolError(`${what} failed: give uid, gid or both`);
    const place = checked(openExisting(context, input.path, input.follow ? "follow" : "itself"), (one) => demandStorage(one, what));
    return { ...targetOf(place, resourcesOf(place, "write", { recursive: input.recursive })), known: new Set() };
  },
  preview: ({ place }, input) => {
    const { uid, gid } = place.status;
    const of = `${quote(place.path)}${input.recursive ? " and everything in it" : ""}`;
    return { changes: [`sets the owner of ${of} from ${uid}:${gid} to ${input.uid ?? uid}:${input.gid ?? gid}`], final: [] };
  },
  snapshot: (target, input, context) =>
    doing(`keeping the owners of ${quote(target.place.path)}`, () =>
      eachImage(context, target, input.recursive, changeOf(input), `setting the owner of ${quote(target.place.path)}`),
    ),
  run: (target, input, context) =>
    doing(`setting the owner of ${quote(target.place.path)}`, async () => {
      const files = await runEach(context, target, input.recursive, changeOf(input));
      const { uid, gid } = context.sys.file.status(target.place.fd);
      return { path: target.place.path, uid, gid, files };
    }),
  verify: ({ place }, input, _output, context) => verifyEach(context, place, input.recursive, changeOf(input)),
  undo: (image, _past, context) => undoEach(image, context),
  verifyUndone: (image, _past, context) => verifyUndoneEach(image, context),
});

/** The mode that the kernel leaves: a file's privileges go with its owner (chown(2)). */
function changeOf(input: Input): Change {
  return ({ type, mode, uid, gid }: FileStatus) => {
    const wanted = { uid: input.uid ?? uid, gid: input.gid ?? gid };
    const changes = wanted.uid !== uid || wanted.gid !== gid;
    return { ...wanted, mode: changes && type === "file" ? mode & ~0o6000 : mode };
  };
}
