/** goal.cancel */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { GoalId } from "./shared/goal.ts";
import { movingTool } from "./shared/moving.ts";

export const goalCancel = defineTool(
  movingTool(z.strictObject({ id: GoalId }), {
    name: "goal.cancel",
    title: "Cancel a goal",
    description:
      "The goal is not wanted any more: no further step begins, nothing is checked. What was done for it stays: services keep running until they are stopped. goal.resume takes it up again.",
    to: "cancelled",
    plan_to: "cancelled",
    words: "is not pursued any more",
  }),
);
