/** The tools as they are listed, without a broker behind them: to read their names, schemas and risks. */

import type { ToolDescription } from "../../contracts/tool.ts";
import { allTools } from "../catalog/index.ts";
import { describeTool } from "../describe.ts";
import type { CatalogParts } from "../load.ts";
import type { AnyTool } from "../tool.ts";

const unforeseen = {
  get: (_: object, name: string | symbol): never => {
    throw new Error(`using ${String(name)} failed: this catalogue is only for looking`);
  },
};

export const only_to_look_at: CatalogParts = {
  permission: new Proxy({}, unforeseen) as CatalogParts["permission"],
  audit: new Proxy({}, unforeseen) as CatalogParts["audit"],
  declared: () => new Proxy({}, unforeseen) as ReturnType<CatalogParts["declared"]>,
  toolOf: () => undefined,
};

const tools = await allTools(only_to_look_at);

export function testCatalog(): readonly AnyTool[] {
  return tools;
}

/** As the broker lists them. */
export function testDescriptions(): readonly ToolDescription[] {
  return tools.map(describeTool);
}
