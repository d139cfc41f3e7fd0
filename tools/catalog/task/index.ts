/** Calls that are made later. */

import type { AnyTool } from "../../tool.ts";
import { taskCancel } from "./cancel.ts";
import { taskList } from "./list.ts";
import { taskSchedule } from "./schedule.ts";

/** @param toolOf the tools that can be scheduled */
export function taskTools(toolOf: (name: string) => AnyTool | undefined): readonly AnyTool[] {
  return [taskCancel, taskList, taskSchedule(toolOf)];
}
