import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool } from "../../tool.ts";
import { hashOf, openForReading } from "./shared/content.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import { checked, demandType, type PlaceTarget, targetOf } from "./shared/target.ts";

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The file; a symbolic link is followed"),
    algorithm: z
      .enum(["sha256", "sha512", "blake2b512", "sha1", "md5"])
      .default("sha256")
      .describe("sha1 and md5 only to compare with what others have published: they can be forged"),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    algorithm: z.string(),
    digest: z.string().describe("In hexadecimal"),
    size_bytes: z.number().int(),
    changed: z.boolean().describe("Whether the file was written to meanwhile: then the digest is of neither state"),
  }),
);

export const checksum = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, PlaceTarget<Occupied>>({
  name: "fs.checksum",
  title: "Checksum of a file",
  description:
    "The digest of one file's content, of any size. For what a file holds use fs.read; for whether files of packages are whole sec.integrity.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 600_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve(input, context) {
    const place = checked(openExisting(context, input.path, "follow"), (one) => demandType(one, "file", `hashing ${quote(input.path)}`));
    return targetOf(place, resourcesOf(place, "read"));
  },
  run: ({ place }, { algorithm }, { sys, signal }) =>
    doing(`hashing ${quote(place.path)}`, async () => {
      const fd = openForReading(sys, place.fd);
      try {
        const before = sys.file.status(fd);
        const digest = await hashOf(fd, algorithm, signal);
        const after = sys.file.status(fd);
        const changed = before.mtime_ns !== after.mtime_ns || before.size_bytes !== after.size_bytes;
        return { path: place.path, algorithm, digest, size_bytes: after.size_bytes, changed };
      } finally {
        sys.descriptor.close(fd);
      }
    }),
});
