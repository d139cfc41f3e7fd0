/** One generation made of the current one and all that it lies upon: it shows the same, lies upon the base alone, and takes no room. */

import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { doing } from "../../fs/shared/failure.ts";
import { generationFolder } from "./folders.ts";
import { chainOf, type GenerationRecord } from "./generation.ts";
import { mergeLayers } from "./merge.ts";
import { mountBase } from "./mounts.ts";
import { commitStaging, dropStaging, makeStaging, stagingLayer } from "./staging.ts";

export const squash_tool = "pkg.squash";

/**
 * Durable when it returns, and not yet current.
 * @param number of the new one. @param request of the call that wants it
 * @returns its number
 */
export async function squash(number: number, from: number, request: string, context: Context): Promise<number> {
  const chain = chainOf(from, context);
  const base = chain[0]?.base;
  if (base === undefined) throw new ToolError("making one generation of many failed: the current one is the base alone");
  const record: GenerationRecord = {
    ...{ number, parent: 0, base, call: context.call, tool: squash_tool, principal: context.principal },
    ...{ time_ms: context.clock.now_ms(), request, changes: [], sources: [], files: [] },
  };
  dropStaging(number, context);
  try {
    makeStaging(number, context);
    const layers = chain.map((one) => `${generationFolder(one.number, context.places)}/layer`).reverse();
    await doing(`making one generation of ${chain.length}`, async () => {
      await mergeLayers({ layers, base: await mountBase(base, context), into: stagingLayer(number, context) }, context);
      await commitStaging(number, record, context);
    });
    return number;
  } finally {
    dropStaging(number, context);
  }
}
