import { z } from "zod";
import { quote, showName } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool } from "../../tool.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import { namesFromOutside } from "./shared/names.ts";
import { type PlaceTarget, targetOf } from "./shared/target.ts";
import { depth_max, walk } from "./shared/walk.ts";

const entries_max = 2_000_000;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The file or folder to measure"),
    largest: z.number().int().min(0).max(100).default(20).describe("How many of the largest direct children to tell"),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    allocated_bytes: z.number().int().describe("What it takes on disk, files with several names counted once"),
    size_bytes: z.number().int().describe("Sum of the files' sizes"),
    files: z.number().int(),
    folders: z.number().int(),
    others: z.number().int().describe("Links, pipes, sockets, devices"),
    closed: z.number().int().describe("Folders that were not entered: other mounts, the broker's own"),
    largest: z.array(z.strictObject({ name: z.string(), bytes_base64: z.string().optional(), allocated_bytes: z.number().int() })),
    file_system: z.strictObject({
      point: z.string(),
      type: z.string(),
      source: z.string(),
      size_bytes: z.number().int(),
      free_bytes: z.number().int().describe("Free for root"),
      available_bytes: z.number().int().describe("Free for everyone else"),
      inodes: z.number().int(),
      inodes_free: z.number().int(),
      read_only: z.boolean(),
    }),
  }),
);

export const usage = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, PlaceTarget<Occupied>>({
  name: "fs.usage",
  title: "Room on disk",
  description:
    "How much room a tree takes, what in it takes most, and how full its file system is. Does not enter other mounts. For a list of what is there use fs.list; to find large files fs.find.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ path, largest }) => namesFromOutside(path, largest.length),
  image: null,
  resolve(input, context) {
    const place = openExisting(context, input.path, "follow");
    return targetOf(place, resourcesOf(place, "read", { recursive: place.status.type === "directory" }));
  },
  run: ({ place }, input, context) =>
    doing(`measuring ${quote(place.path)}`, async () => {
      const sum = { allocated_bytes: 0, size_bytes: 0, files: 0, folders: 0, others: 0, closed: 0 };
      const children = new Map<string, { readonly name: Buffer; allocated_bytes: number }>();
      const counted = new Set<bigint>();
      for await (const { names, status, closed } of walk(context, place, { depth_max, entries_max })) {
        if (closed !== null) sum.closed += 1;
        if (closed === "mount" || (status.type !== "directory" && status.links > 1 && counted.has(status.inode))) continue;
        if (status.type !== "directory" && status.links > 1) counted.add(status.inode);
        sum.allocated_bytes += status.allocated_bytes;
        if (status.type === "file") sum.size_bytes += status.size_bytes;
        sum[status.type === "file" ? "files" : status.type === "directory" ? "folders" : "others"] += 1;
        const name = names[0];
        if (name === undefined) continue;
        const key = name.toString("latin1");
        const child = children.get(key) ?? { name, allocated_bytes: 0 };
        child.allocated_bytes += status.allocated_bytes;
        children.set(key, child);
      }
      const largest = [...children.values()].sort((a, b) => b.allocated_bytes - a.allocated_bytes || Buffer.compare(a.name, b.name));
      const { point, type, source } = place.mount;
      return {
        ...{ path: place.path, ...sum },
        largest: largest.slice(0, input.largest).map(({ name, allocated_bytes }) => ({ ...showName(name), allocated_bytes })),
        file_system: { point, type, source, ...context.sys.mount.use(`/proc/self/fd/${place.fd}`) },
      };
    }),
});
