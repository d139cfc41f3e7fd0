/** pkg.info */

import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asking } from "./shared/change.ts";
import { PackageName } from "./shared/names.ts";
import { userland_read } from "./shared/resources.ts";
import { installedIn, readInside, stanzas } from "./shared/status.ts";

const versions_max = 20;
const text_max = 4000;

export const info = defineTool({
  name: "pkg.info",
  title: "About one package",
  description:
    "What is known of one package by its exact name: the version that is installed, the versions that the sources had when pkg.update fetched their lists, what it is for and what it depends on. For its files use pkg.files; to find a name pkg.search.",
  input: z.lazy(() => z.strictObject({ name: PackageName })),
  output: z.lazy(() =>
    z.strictObject({
      name: z.string(),
      installed: z.string().nullable().describe("its version in the current generation"),
      available: z.array(z.strictObject({ version: z.string(), size_bytes: z.number().describe("to fetch") })).max(versions_max),
      summary: z.string(),
      description: z.string(),
      section: z.string(),
      depends: z.string(),
      homepage: z.string(),
      maintainer: z.string(),
      installed_size_kib: z.number(),
    }),
  ),
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: (_input) => ({ resources: [userland_read] }),
  async run(_target, { name }, context) {
    return await asking(context, async (apt, current) => {
      const installed = installedIn(current, context).get(name);
      const own = installed === undefined ? undefined : fieldsOf(readInside(current, "/var/lib/dpkg/status", context.sys), name)[0];
      const names = (await apt.ask(["pkgnames", "--", name])).split("\n");
      const shown = names.includes(name) ? fieldsOf(await apt.ask(["show", "--all-versions", "--", name]), name) : [];
      const offered = shown.filter((fields) => fields.has("Filename"));
      const about = offered[0] ?? own;
      if (about === undefined)
        throw new ToolError(
          `looking up ${quote(name)} failed: it is neither installed nor in the lists of the sources; pkg.search finds names, pkg.update fetches lists`,
        );
      const field = (key: string): string => (about.get(key) ?? "").slice(0, text_max);
      const [summary = "", ...rest] = (about.get("Description") ?? about.get("Description-en") ?? "").split("\n");
      return {
        name,
        installed: installed?.version ?? null,
        available: offered
          .slice(0, versions_max)
          .map((fields) => ({ version: fields.get("Version") ?? "", size_bytes: Number(fields.get("Size") ?? 0) })),
        summary: summary.slice(0, 200),
        description: rest.join("\n").slice(0, text_max),
        ...{ section: field("Section"), depends: field("Depends"), homepage: field("Homepage"), maintainer: field("Maintainer") },
        installed_size_kib: Number(about.get("Installed-Size") ?? 0),
      };
    });
  },
});

function fieldsOf(text: string, name: string): Map<string, string>[] {
  return [...stanzas(text)].filter((fields) => fields.get("Package") === name);
}
