/** memory.examples */

import { z } from "zod";
import { learning_methods } from "../../../contracts/memory/learning.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { anyTainted, readsAll } from "./shared/memory.ts";

export const memoryExamples = defineTool({
  name: "memory.examples",
  title: "Cases to learn from",
  description:
    "What was done about alarms and whether it helped, oldest first, as examples to train a model with: the alarm in words, the rule and its tools, the result, what it cost; what a person took back or declined, who did and why. Secrets are taken out; what came from outside is marked. For the whole, ask again with `after` the last decision.",
  input: z.lazy(() =>
    z.strictObject({
      after: z
        .string()
        .max(100)
        .nullable()
        .default(null)
        .describe("the decision of the last case of the page before; null: from the first"),
      limit: z.number().int().min(1).max(200).default(100).describe("cases to return"),
    }),
  ),
  output: learning_methods["learning.cases"].result,
  risk: "observe",
  timeout_ms: 30_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ cases }) => anyTainted(cases),
  image: null,
  resolve: readsAll,
  run: (_target, { after, limit }, context) => asked(memoryOf(context, "reading cases").call("learning.cases", { after, limit })),
});
