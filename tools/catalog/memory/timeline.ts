/** memory.timeline */

import { z } from "zod";
import { Recalled } from "../../../contracts/memory/record.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { anyTainted, filter_fields, IdField, readsAll } from "./shared/memory.ts";

export const memoryTimeline = defineTool({
  name: "memory.timeline",
  title: "What was before and after",
  description:
    "Shows what was remembered before and after one memory or one moment, oldest first: what led to it and what it led to. Give either `around` or `at_ms`.",
  input: z.lazy(() =>
    z.strictObject({
      around: IdField.nullable().default(null).describe("the memory in the middle"),
      at_ms: z.number().nullable().default(null).describe("or the moment in the middle, milliseconds since 1970"),
      before: z.number().int().min(0).max(100).default(10).describe("memories before it"),
      after: z.number().int().min(0).max(100).default(10).describe("memories after it"),
      ...filter_fields,
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({ memories: z.array(Recalled), note: z.string().nullable().describe("what could not be read, and why") }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ memories }) => anyTainted(memories),
  image: null,
  resolve: readsAll,
  async run(_target, { around, at_ms, before, after, ...filter }, context) {
    const middle = around ?? at_ms;
    if (middle === null || (around !== null && at_ms !== null))
      throw new ToolError("reading the timeline failed: give either `around`, the id of a memory, or `at_ms`, a moment");
    return await asked(memoryOf(context, "reading the timeline").call("timeline", { around: middle, before, after, filter }));
  },
});
