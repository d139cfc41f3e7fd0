/** memory.trace */

import { z } from "zod";
import { longterm_methods } from "../../../contracts/memory/longterm.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, recalled, touches } from "./shared/memory.ts";

export const memoryTrace = defineTool({
  name: "memory.trace",
  title: "Trace influence",
  description:
    "Follows links from a memory: all that it influenced (decisions based on it, calls that they made, lessons learned from those), or all that influenced it. Use it to see how far a wrong or poisoned memory reached before memory.quarantine.",
  input: z.lazy(() =>
    z.strictObject({
      id: IdField,
      direction: z.enum(["influenced", "influenced-by"]).default("influenced").describe("what it led to, or what it came from"),
      limit: z.number().int().min(1).max(200).default(50).describe("memories to return, nearest first"),
    }),
  ),
  output: longterm_methods.trace.result,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: ({ id }) => touches(id, "read"),
  async run(_target, { id, direction, limit }, context) {
    await recalled(id, context);
    return await asked(memoryOf(context, `tracing "${id}"`).call("trace", { id, direction, limit }));
  },
});
