/** pkg.search */

import { z } from "zod";
import { defineTool, ToolError } from "../../tool.ts";
import { listsStamp } from "./shared/apt.ts";
import { asking } from "./shared/change.ts";
import { userland_read } from "./shared/resources.ts";
import { installedIn, stanzas } from "./shared/status.ts";

const limit_max = 100;

export const search = defineTool({
  name: "pkg.search",
  title: "Search packages",
  description:
    "Packages that could be installed, by words in their names and descriptions, with the newest version that the sources have. Searches the lists that pkg.update fetched last, so it asks nobody. For the details of one use pkg.info.",
  input: z.lazy(() =>
    z.strictObject({
      words: z
        .array(
          z
            .string()
            .regex(
              /^[\p{L}\p{N}][\p{L}\p{N}+._-]{0,63}$/u,
              "a word is 1 to 64 letters, digits and + . _ -, and begins with a letter or digit",
            ),
        )
        .min(1)
        .max(8)
        .describe("all of them have to be found"),
      names_only: z.boolean().default(false).describe("not in descriptions"),
      limit: z.number().int().min(1).max(limit_max).default(30),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      packages: z.array(
        z.strictObject({
          name: z.string(),
          version: z.string(),
          summary: z.string(),
          installed: z.string().nullable().describe("the version that is installed"),
        }),
      ),
      total: z.number().int().describe("how many were found"),
      truncated: z.boolean(),
      lists_fetched_ms: z.number().describe("when the lists were fetched, milliseconds since 1970"),
    }),
  ),
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: () => ({ resources: [userland_read] }),
  async run(_target, { words, names_only, limit }, context) {
    return await asking(context, async (apt, current) => {
      const stamp = listsStamp(context);
      if (stamp === null || !apt.listed)
        throw new ToolError(
          "searching packages failed: the lists of the sources in the machine config were not fetched yet; pkg.update does it",
        );
      const options = names_only ? ["--names-only"] : [];
      const found = await apt.ask(["search", ...options, "--", ...words.map(literal)]);
      const all = found
        .split("\n")
        .flatMap((line) => (/ - /.test(line) ? [line.slice(0, line.indexOf(" - "))] : []))
        .sort();
      const names = all.slice(0, limit);
      const details = names.length === 0 ? "" : await apt.ask(["show", "--no-all-versions", "--", ...names]);
      const installed = installedIn(current, context);
      const packages = [...stanzas(details)].map((fields) => ({
        name: fields.get("Package") ?? "",
        version: fields.get("Version") ?? "",
        summary: (fields.get("Description") ?? fields.get("Description-en") ?? "").split("\n")[0]?.slice(0, 200) ?? "",
        installed: installed.get(fields.get("Package") ?? "")?.version ?? null,
      }));
      return { packages, total: all.length, truncated: all.length > names.length, lists_fetched_ms: stamp.time_ms };
    });
  },
});

/** apt-cache(8) takes POSIX extended regular expressions. */
function literal(word: string): string {
  return word.replace(/[.+]/g, "[$&]");
}
