/**
 * What is told of all tools, as data of the image: a broker lists, finds and describes them without reading their modules.
 * Made from the modules when the image is built (make-listing.ts); a tool that is not as it is listed is not called.
 */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { lib_dir } from "../contracts/paths.ts";
import { Risk, ToolDescription } from "../contracts/tool.ts";
import { describeTool } from "./describe.ts";
import type { CatalogParts, Loaders } from "./load.ts";
import { factsOf, type Offer, Registry } from "./registry.ts";
import type { AnyTool } from "./tool.ts";

export const listing_file = `${lib_dir}/tools.json`;

const Listed = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    title: z.string(),
    risk: Risk,
    timeout_ms: z.int(),
    undoable: z.boolean(),
    restores: z.boolean(),
    tainted: z.boolean(),
    state_of: z.string().nullable(),
    /** JSON, which is only read when somebody asks. */
    described: z.string(),
  }),
);
type Listed = z.infer<typeof Listed>;

export function listingOf(tools: readonly AnyTool[]): Listed[] {
  return tools.map((tool) => ({ ...factsOf(tool), described: JSON.stringify(describeTool(tool)) }));
}

/** @throws when it does not list exactly the tools that there are */
export function readListing(path: string, loaders: Loaders, parts: CatalogParts): Registry {
  const listed = z.array(Listed).parse(JSON.parse(readFileSync(path, "utf8")));
  const missing = Object.keys(loaders).filter((name) => !listed.some((one) => one.name === name));
  if (missing.length > 0) throw new Error(`reading "${path}" failed: it does not list ${missing.join(", ")}; build the image anew`);
  return new Registry(listed.map((one) => offerOf(path, one, loaders, parts)));
}

function offerOf(path: string, { described, ...facts }: Listed, loaders: Loaders, parts: CatalogParts): Offer {
  const load = loaders[facts.name];
  if (load === undefined) throw new Error(`reading "${path}" failed: there is no tool "${facts.name}"; build the image anew`);
  return {
    facts,
    describe: () => ToolDescription.parse(JSON.parse(described)),
    load: async () => {
      const tool = await load(parts);
      if (!Bun.deepEquals(factsOf(tool), facts))
        throw new Error(`loading the tool "${facts.name}" failed: it is not as "${path}" lists it; build the image anew`);
      return tool;
    },
  };
}
