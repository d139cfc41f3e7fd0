/** pkg.list */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { currentNumber } from "./shared/generation.ts";
import { showCurrent } from "./shared/mounts.ts";
import { userland_read } from "./shared/resources.ts";
import { installedIn } from "./shared/status.ts";

const page = { offset: z.number().int().min(0).max(100_000).default(0), limit: z.number().int().min(1).max(300).default(200) };

export const list = defineTool({
  name: "pkg.list",
  title: "Installed packages",
  description:
    "The packages that are installed in the current generation of the userland, by name. For one of them use pkg.info; for what could be installed pkg.search; for what is newer pkg.update with dry_run. Not the packages of which the system's own root was made: those are in its bill of materials.",
  input: z.lazy(() =>
    z.strictObject({
      contains: z.string().max(100).default("").describe("only names that contain this"),
      ...page,
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      generation: z.number().int(),
      packages: z.array(
        z.strictObject({
          name: z.string(),
          version: z.string(),
          architecture: z.string(),
          summary: z.string(),
          size_kib: z.number().describe("when it is installed, as the package says"),
          state: z.string().describe("installed, or at what a broken installation has stopped"),
        }),
      ),
      total: z.number().int(),
      truncated: z.boolean().describe("there are more: ask with a higher offset"),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => ({ resources: [userland_read] }),
  async run(_target, { contains, offset, limit }, context) {
    const found = [...installedIn(await showCurrent(context), context).values()]
      .filter(({ name }) => name.includes(contains))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const packages = found
      .slice(offset, offset + limit)
      .map(({ section: _section, summary, ...one }) => ({ ...one, summary: summary.slice(0, 100) }));
    return { generation: currentNumber(context), packages, total: found.length, truncated: offset + packages.length < found.length };
  },
});
