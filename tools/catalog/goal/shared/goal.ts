/** What the tools of goals have in common. */

import { z } from "zod";
import type { WorkChange } from "../../../../contracts/memory/working/changes.ts";
import type { WorkItem } from "../../../../contracts/memory/working/items.ts";
import type { Resource } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { type Target, ToolError } from "../../../tool.ts";
import { asked, memoryOf } from "../../shared/ask-memory.ts";

export type Goal = Extract<WorkItem, { kind: "goal" }>;

export const GoalId = z
  .string()
  .regex(/^[0-9a-f]{8}-goal-[0-9]{1,15}$/, "a goal is named like 0a1b2c3d-goal-17")
  .describe("the goal's id, as goal.list gives it");

/** Of a goal before it was moved. */
export const Image = z.lazy(() => z.strictObject({ id: GoalId, state: z.string() }));
export type Image = z.infer<typeof Image>;

export const touches = (id: string, access: Resource["access"]): Target => ({
  resources: [{ kind: "memory", id, access, attributes: {} }],
});

/** @throws {ToolError} when there is none of this id */
export async function goalOf(id: string, context: Context): Promise<Goal> {
  const { item } = await asked(memoryOf(context, `looking for the goal "${id}"`).call("work.get", { id }));
  if (item.kind !== "goal") throw new ToolError(`looking for the goal "${id}" failed: it is a ${item.kind}; goal.list names goals`);
  return item;
}

export async function newestPlan(goal: string, context: Context): Promise<Extract<WorkItem, { kind: "plan" }> | null> {
  const { items } = await asked(
    memoryOf(context, `looking for the plan of "${goal}"`).call("work.list", { kinds: ["plan"], parent: goal, limit: 1 }),
  );
  const [plan] = items;
  return plan?.kind === "plan" ? plan : null;
}

/** The goal goes to another state and its plan with it, in one transaction. @param plan_to where an unfinished plan goes */
export async function moveGoal(id: string, to: Goal["state"], plan_to: "held" | "cancelled" | null, context: Context): Promise<Goal> {
  const goal = await goalOf(id, context);
  const plan = plan_to === null ? null : await newestPlan(id, context);
  const changes: WorkChange[] = [{ do: "move", id, version: goal.version, to }];
  const moves = plan !== null && !plan.ended && plan.state !== plan_to && !(plan_to === "held" && plan.state === "draft");
  if (plan !== null && plan_to !== null && moves) changes.unshift({ do: "move", id: plan.id, version: plan.version, to: plan_to });
  await asked(memoryOf(context, `making the goal "${id}" ${to}`).call("work.change", { changes, ...onBehalf(context) }));
  return await goalOf(id, context);
}

/** For whom, why, and by which call: told twice it is done once. */
export function onBehalf({ principal, why, call }: Context): { readonly why: string; readonly for: string } {
  return { why: `${why ?? "no reason was given"} (${call})`.slice(0, 500), for: principal.replace(/^person:/, "").slice(0, 64) };
}
