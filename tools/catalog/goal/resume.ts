/** goal.resume */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { GoalId } from "./shared/goal.ts";
import { movingTool } from "./shared/moving.ts";

export const goalResume = defineTool(
  movingTool(z.strictObject({ id: GoalId }), {
    name: "goal.resume",
    title: "Resume a goal",
    description: "Takes up again a goal that is paused, blocked, failed or cancelled: its plan goes on, or is made anew.",
    to: "planning",
    plan_to: null,
    words: "is pursued again",
  }),
);
