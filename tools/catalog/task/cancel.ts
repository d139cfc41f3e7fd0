/** task.cancel */

import { z } from "zod";
import { defineTool, ToolError } from "../../tool.ts";
import { dropTask, keepTask, readTask, Task, TaskName } from "./shared/task.ts";

export const taskCancel = defineTool({
  name: "task.cancel",
  title: "Cancel a task",
  description:
    "Forgets a task that task.schedule made: its call is not made any more. A call that is being made right now goes on; calls/cancel ends that. What earlier calls of it did stays.",
  input: z.lazy(() => z.strictObject({ name: TaskName.describe("the task's name, as task.list gives it") })),
  output: z.lazy(() => z.strictObject({ name: TaskName, runs: z.number().int().describe("how often it was run") })),
  risk: "reversible",
  timeout_ms: 10_000,
  idempotent: false,
  tainted: false,
  image: Task,
  resolve({ name }, { state }) {
    const task = readTask(name, state);
    if (task === null) throw new ToolError(`cancelling the task "${name}" failed: there is none; task.list shows those that there are`);
    const attributes = { tool: task.tool, principal: task.principal, recurring: !("at_ms" in task.schedule) };
    return { task, resources: [{ kind: "timer" as const, id: name, access: "delete" as const, attributes }] };
  },
  preview: ({ task }) => ({
    changes: [`the task "${task.name}" (${task.tool}, ${JSON.stringify(task.schedule)}) is forgotten`],
    final: [],
  }),
  snapshot: ({ task }) => task,
  run({ task }, { name }, { state }) {
    dropTask(name, state);
    return { name, runs: task.runs };
  },
  settled: ({ name, scheduled_by }, _past, { state }) => readTask(name, state)?.scheduled_by !== scheduled_by,
  undo(task, _past, { state }) {
    if (readTask(task.name, state)?.scheduled_by === task.scheduled_by) return;
    if (readTask(task.name, state) !== null)
      throw new ToolError(`bringing back the task "${task.name}" failed: there is another of this name by now`);
    keepTask(task, state); // what it missed meanwhile is the runner's matter, by its own rule
  },
  verifyUndone({ name, scheduled_by }, _past, { state }) {
    if (readTask(name, state)?.scheduled_by !== scheduled_by) throw new ToolError(`verifying the task "${name}" failed: it is not there`);
  },
});
