/** memory.retention */

import { z } from "zod";
import { RetentionRule, Tombstone } from "../../../contracts/memory/retention.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

export const memoryRetention = defineTool({
  name: "memory.retention",
  title: "Rules of retention, and what they deleted",
  description:
    "Shows which rules of retention people have set, those that hold first, and what was deleted by them: how many memories, when, from which time. Without a rule nothing is ever deleted.",
  input: z.lazy(() =>
    z.strictObject({
      tombstones: z.number().int().min(0).max(200).default(20).describe("steps of deleting to show, the newest first"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      rules: z.array(RetentionRule),
      tombstones: z.array(Tombstone),
      deleted: z.number().int().describe("memories in all"),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: readsAll,
  run: (_target, { tombstones }, context) =>
    asked(memoryOf(context, "looking at rules of retention").call("retention.list", { tombstones })),
});
