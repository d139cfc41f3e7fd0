/** Calls that are made later. */

import type { Loaders } from "../../load.ts";

export const task_tools: Loaders = {
  "task.cancel": async () => (await import("./cancel.ts")).taskCancel,
  "task.list": async () => (await import("./list.ts")).taskList,
  "task.schedule": async ({ toolOf }) => (await import("./schedule.ts")).taskSchedule(toolOf),
};
