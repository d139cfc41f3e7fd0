/** What the tools of memory have in common. */

import { MemoryFilter } from "../../../../contracts/memory/longterm.ts";
import { MemoryId, type Recalled } from "../../../../contracts/memory/record.ts";
import type { Resource } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { type Target, ToolError } from "../../../tool.ts";
import { asked, memoryOf } from "../../shared/ask-memory.ts";

export const IdField = MemoryId.describe("a memory's id, as memory.search and memory.timeline give it: 0a1b2c3d-init-17");

/** The members of a filter, to be spread into the input of a tool. */
export const filter_fields = {
  since_ms: MemoryFilter.shape.since_ms.describe("not older than this, milliseconds since 1970"),
  until_ms: MemoryFilter.shape.until_ms.describe("not younger than this"),
  kinds: MemoryFilter.shape.kinds.describe("only of these kinds"),
  sources: MemoryFilter.shape.sources.describe("only what these services of the system remembered: init, reactive, broker"),
  tiers: MemoryFilter.shape.tiers.describe("only what these tiers decided or did"),
  tools: MemoryFilter.shape.tools.describe("only calls of these tools"),
  services: MemoryFilter.shape.services.describe("only what is about these services (units)"),
  outcomes: MemoryFilter.shape.outcomes.describe("only what came out so"),
  severity_min: MemoryFilter.shape.severity_min.describe("at least as severe"),
  untainted: MemoryFilter.shape.untainted.describe("only what holds no text from outside"),
  quarantined: MemoryFilter.shape.quarantined.describe("also what is in quarantine, not to be relied on"),
} as const;

export const touches = (id: string, access: Resource["access"]): Target => ({
  resources: [{ kind: "memory", id, access, attributes: {} }],
});

export const readsAll = (): Target => touches("*", "read");

/** @throws {ToolError} when there is none of this id */
export async function recalled(id: string, context: Context): Promise<Recalled> {
  const [found] = await asked(memoryOf(context, `looking for the memory "${id}"`).call("recall", { ids: [id] }));
  if (found === undefined)
    throw new ToolError(`looking for the memory "${id}" failed: there is none of this id; find it with memory.search`);
  return found;
}

export const anyTainted = (memories: readonly { readonly taint: readonly string[] }[]): boolean =>
  memories.some(({ taint }) => taint.length > 0);

/** Of a memory that a call makes or changes: its id is the call's, under another name. */
export function idOfCall(call: string): string {
  return call.replace(/-call-(\d+)$/, "-note-$1");
}
