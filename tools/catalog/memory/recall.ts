/** memory.recall */

import { z } from "zod";
import { Recalled } from "../../../contracts/memory/record.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { anyTainted, IdField, touches } from "./shared/memory.ts";

export const memoryRecall = defineTool({
  name: "memory.recall",
  title: "Recall memories by id",
  description:
    "Gives memories by their ids, with their bodies, links, marks of where text from outside came from, and how often they were used for a decision that worked. To find ids use memory.search or memory.timeline.",
  input: z.lazy(() => z.strictObject({ ids: z.array(IdField).min(1).max(50).describe("in the order in which they are wanted") })),
  output: z.lazy(() =>
    z.strictObject({
      memories: z.array(Recalled),
      unknown: z.array(z.string()).describe("ids that no memory has, or for which the answer had no room"),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ memories }) => anyTainted(memories),
  image: null,
  resolve: ({ ids }) => ({ resources: ids.flatMap((id) => touches(id, "read").resources) }),
  async run(_target, { ids }, context) {
    const memories = await asked(memoryOf(context, "recalling memories").call("recall", { ids }));
    const held = new Set(memories.map(({ id }) => id));
    return { memories, unknown: ids.filter((id) => !held.has(id)) };
  },
});
