/** pkg.files */

import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { currentMount } from "./shared/folders.ts";
import { currentNumber } from "./shared/generation.ts";
import { showCurrent } from "./shared/mounts.ts";
import { PackageName } from "./shared/names.ts";
import { userland_read } from "./shared/resources.ts";
import { installedIn, readInside } from "./shared/status.ts";

export const files = defineTool({
  name: "pkg.files",
  title: "Files of a package",
  description:
    "The files and folders that an installed package has brought into the userland, as paths inside it; to read one with fs.read put the answer's root in front. To find the program of a package look for paths below /usr/bin and /usr/sbin.",
  input: z.lazy(() =>
    z.strictObject({
      name: PackageName.describe("an installed package"),
      offset: z.number().int().min(0).max(1_000_000).default(0),
      limit: z.number().int().min(1).max(500).default(300),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      name: z.string(),
      version: z.string(),
      generation: z.number().int(),
      root: z.string().describe("where the userland is in the system"),
      files: z.array(z.string()),
      total: z.number().int(),
      truncated: z.boolean(),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: () => ({ resources: [userland_read] }),
  async run(_target, { name, offset, limit }, context) {
    const root = await showCurrent(context);
    const found = installedIn(root, context).get(name);
    if (found === undefined) throw new ToolError(`listing the files of ${quote(name)} failed: it is not installed; pkg.list shows what is`);
    const all = listOf(root, name, found.architecture, context.sys).filter((path) => path !== "" && path !== "/.");
    const some = all.slice(offset, offset + limit).map((path) => path.slice(0, 500));
    const where = { generation: currentNumber(context), root: currentMount(context.places) };
    return { name, version: found.version, ...where, files: some, total: all.length, truncated: offset + some.length < all.length };
  },
});

/** dpkg(1): `info/NAME.list`, with the architecture for packages that may be there for several. */
function listOf(root: string, name: string, architecture: string, sys: Parameters<typeof readInside>[2]): string[] {
  for (const file of [`${name}:${architecture}`, name]) {
    try {
      return readInside(root, `/var/lib/dpkg/info/${file}.list`, sys).split("\n");
    } catch {
      // the other name
    }
  }
  throw new ToolError(`listing the files of ${quote(name)} failed: dpkg has no list of them`);
}
