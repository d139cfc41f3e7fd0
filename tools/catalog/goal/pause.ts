/** goal.pause */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { GoalId } from "./shared/goal.ts";
import { movingTool } from "./shared/moving.ts";

export const goalPause = defineTool(
  movingTool(z.strictObject({ id: GoalId }), {
    name: "goal.pause",
    title: "Pause a goal",
    description:
      "The goal is not pursued for now: no further step begins, nothing is checked. What was done stays. goal.resume takes it up again.",
    to: "paused",
    plan_to: "held",
    words: "is not pursued for now",
  }),
);
