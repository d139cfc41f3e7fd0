/** goal.list */

import { z } from "zod";
import { GoalsAnswer } from "../../../contracts/goal.ts";
import { GoalState } from "../../../contracts/memory/working/goals.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { GoalId, touches } from "./shared/goal.ts";

export const goalList = defineTool({
  name: "goal.list",
  title: "Goals",
  description: "What is to be so: goals with their state, how far they are, and what they wait for. One of them whole: goal.show.",
  input: z.lazy(() =>
    z.strictObject({
      ended: z.boolean().nullable().default(false).describe("those that are over; null: all"),
      states: z.array(GoalState).min(1).max(10).nullable().default(null).describe("only in these states"),
      before: GoalId.nullable().default(null).describe("only older than this one"),
      limit: z.number().int().min(1).max(100).default(20).describe("goals to return"),
    }),
  ),
  output: GoalsAnswer,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ goals }) => goals.some(({ body }) => body.taint.length > 0),
  image: null,
  resolve: () => touches("*", "read"),
  async run(_target, { ended, states, before, limit }, context) {
    const only = {
      ...(ended === null ? {} : { ended }),
      ...(states === null ? {} : { states }),
      ...(before === null ? {} : { before }),
    };
    const { items, more } = await asked(memoryOf(context, "looking at goals").call("work.list", { kinds: ["goal"], limit, ...only }));
    return { goals: items, more };
  },
});
