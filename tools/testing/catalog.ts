/** The tools as they are listed, without a broker behind them: to read their names, schemas and risks. */

import type { ToolDescription } from "../../contracts/tool.ts";
import { allTools, type CatalogParts } from "../catalog/index.ts";
import { describeTool } from "../describe.ts";
import type { AnyTool } from "../tool.ts";

export function testCatalog(): readonly AnyTool[] {
  const unforeseen = {
    get: (_: object, name: string | symbol): never => {
      throw new Error(`using ${String(name)} failed: this catalogue is only for looking`);
    },
  };
  const parts: CatalogParts = {
    permission: new Proxy({}, unforeseen) as CatalogParts["permission"],
    audit: new Proxy({}, unforeseen) as CatalogParts["audit"],
    declared: () => new Proxy({}, unforeseen) as ReturnType<CatalogParts["declared"]>,
  };
  return allTools(parts);
}

/** As the broker lists them. */
export function testDescriptions(): readonly ToolDescription[] {
  return testCatalog().map(describeTool);
}
