/** The tools by which a person moves a goal: they differ in where to. */

import type { z } from "zod";
import { GoalChanged } from "../../../../contracts/goal.ts";
import { type Target, type Tool, ToolError } from "../../../tool.ts";
import { type Goal, goalOf, Image, moveGoal, touches } from "./goal.ts";

interface Moving {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly to: Extract<Goal["state"], "paused" | "planning" | "cancelled">;
  /** Where a plan goes that is not over. */
  readonly plan_to: "held" | "cancelled" | null;
  readonly words: string;
}

/** Not pursued, the state says so; pursued, a tier may have moved it on since. */
const resting = ["paused", "cancelled", "failed", "blocked"];

export function movingTool<I extends { readonly id: string }>(
  input: z.ZodType<I>,
  { to, plan_to, words, ...tool }: Moving,
): Tool<I, z.infer<typeof GoalChanged>, Target, Image> {
  const isThere = (state: string): boolean => (to === "planning" ? !resting.includes(state) || state === "blocked" : state === to);
  return {
    ...tool,
    input,
    output: GoalChanged,
    risk: "compensable",
    timeout_ms: 60_000,
    idempotent: true,
    tainted: true,
    taintedAnswer: ({ goal }) => goal.body.taint.length > 0,
    image: Image,
    resolve: ({ id }) => touches(id, "write"),
    preview: (_target, { id }) => ({ changes: [`the goal "${id}" ${words}`], final: [] }),
    async snapshot(_target, { id }, context) {
      return { id, state: (await goalOf(id, context)).state };
    },
    async run(_target, { id }, context) {
      const goal = await goalOf(id, context);
      if (goal.state === to) return { goal };
      return { goal: await moveGoal(id, to, plan_to, context) };
    },
    async verify(_target, { id }, _output, context) {
      const { state } = await goalOf(id, context);
      if (!isThere(state)) throw new ToolError(`verifying failed: the goal "${id}" is ${state}`);
    },
    settled: async ({ id }, _past, context) => isThere((await goalOf(id, context)).state),
    /** Pursued again it is planned anew, whatever it was before. */
    async undo({ id, state }, _past, context) {
      const now = (await goalOf(id, context)).state;
      const was_resting = state === "paused" || state === "cancelled";
      if (now === state || (!was_resting && !resting.includes(now))) return;
      if (was_resting) await moveGoal(id, state, state === "paused" ? "held" : "cancelled", context);
      else await moveGoal(id, "planning", null, context);
    },
    async verifyUndone({ id, state }, _past, context) {
      const now = (await goalOf(id, context)).state;
      const was_resting = state === "paused" || state === "cancelled";
      if (was_resting ? now !== state : now === "paused" || now === "cancelled")
        throw new ToolError(`verifying failed: the goal "${id}" is ${now}`);
    },
  };
}
