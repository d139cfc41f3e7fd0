import { z } from "zod";
import { quote, showName } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool } from "../../tool.ts";
import { readExtended } from "./shared/attributes.ts";
import { doing } from "./shared/failure.ts";
import { FileTypeField, modeText, pathField, timeText } from "./shared/fields.ts";
import { type PlaceTarget, targetOf } from "./shared/target.ts";

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("What to look at"),
    follow: z.boolean().default(true).describe("Whether a symbolic link at the end is followed; false: look at the link itself"),
  }),
);

const Output = z.lazy(() =>
  z.strictObject({
    path: z.string().describe("The real path"),
    also_at: z.array(z.string()).describe("Other paths under which other mounts show the same"),
    type: FileTypeField,
    mode: z.string(),
    uid: z.number().int(),
    gid: z.number().int(),
    links: z.number().int().describe("How many names (hard links) it has"),
    size_bytes: z.number().int(),
    allocated_bytes: z.number().int().describe("What it takes on disk: less than its size when it has holes"),
    atime: z.string().describe("Last read"),
    mtime: z.string().describe("Last changed in content"),
    ctime: z.string().describe("Last changed in anything"),
    btime: z.string().nullable().describe("Made; null where the file system does not keep it"),
    link_to: z.string().nullable().describe("Where a symbolic link points"),
    node: z.string().nullable().describe("major:minor of a device node"),
    attributes: z.array(z.string()).describe("Of the file system: immutable, append, mount-root …"),
    extended: z.record(z.string(), z.string()).describe("Extended attributes, values in base64"),
    inode: z.string(),
    device: z.string().describe("major:minor of the file system"),
    mount: z.strictObject({ point: z.string(), type: z.string(), source: z.string(), options: z.array(z.string()) }),
  }),
);
type Output = z.infer<typeof Output>;

export const stat = defineTool<z.infer<typeof Input>, Output, PlaceTarget<Occupied>>({
  name: "fs.stat",
  title: "Look at a file",
  description:
    "Everything about one file, folder, link or device: type, mode, owner, size, times to the nanosecond, links, extended attributes, and the mount it is on. " +
    "Not its content (fs.read), not what is in a folder (fs.list), not the size of a whole tree (fs.usage).",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 10_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve(input, context) {
    const place = openExisting(context, input.path, input.follow ? "follow" : "itself");
    return targetOf(place, resourcesOf(place, "read"));
  },
  run: ({ place }, _input, { sys }) =>
    doing(`looking at ${quote(place.path)}`, () => {
      const status = sys.file.status(place.fd);
      const { type, uid, gid, links, size_bytes, allocated_bytes, node, attributes, device } = status;
      return {
        ...{
          path: place.path,
          also_at: place.names.slice(1),
          type,
          mode: modeText(status.mode),
          uid,
          gid,
          links,
          size_bytes,
          allocated_bytes,
        },
        atime: timeText(status.atime_ns),
        mtime: timeText(status.mtime_ns),
        ctime: timeText(status.ctime_ns),
        btime: status.btime_ns === null ? null : timeText(status.btime_ns),
        link_to: type === "symlink" ? showName(sys.file.readLink(place.fd, "")).name : null,
        ...{ node, attributes: [...attributes], extended: readExtended(sys, place.fd), inode: String(status.inode), device },
        mount: { point: place.mount.point, type: place.mount.type, source: place.mount.source, options: [...place.mount.options] },
      };
    }),
});
