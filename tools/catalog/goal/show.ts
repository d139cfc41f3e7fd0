/** goal.show */

import { z } from "zod";
import { GoalAnswer } from "../../../contracts/goal.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { GoalId, goalOf, newestPlan, touches } from "./shared/goal.ts";

/** Versions of one goal that are told. */
const history_max = 50;

export const goalShow = defineTool({
  name: "goal.show",
  title: "A goal",
  description:
    "One goal whole: its state and standing check, its newest plan with its steps, what it waits for, and every move with its reason.",
  input: z.lazy(() => z.strictObject({ id: GoalId })),
  output: GoalAnswer,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ goal, plan, steps }) => [goal, ...(plan === null ? [] : [plan]), ...steps].some(({ body }) => body.taint.length > 0),
  image: null,
  resolve: ({ id }) => touches(id, "read"),
  async run(_target, { id }, context) {
    const goal = await goalOf(id, context);
    const plan = await newestPlan(id, context);
    const memory = memoryOf(context, `looking at the goal "${id}"`);
    const steps = plan === null ? [] : (await asked(memory.call("work.get", { id: plan.id }))).parts;
    const { lease } = await asked(memory.call("work.get", { id }));
    const history = await asked(memory.call("work.history", { id, limit: history_max }));
    return { goal, plan, steps, lease, history };
  },
});
