/** task.list */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { allTasks, LastRun, Task } from "./shared/task.ts";

const arguments_chars_max = 500;

const Line = Task.pick({
  name: true,
  tool: true,
  reason: true,
  schedule: true,
  missed: true,
  principal: true,
  created_ms: true,
  runs: true,
  scheduled_by: true,
}).extend({
  next_ms: z.number().nullable().describe("when it is due next, milliseconds since 1970; null: never again"),
  running: z.boolean().describe("its call is being made"),
  last: LastRun.nullable().describe("how it went the last time"),
  arguments: z.string().describe("as JSON, cut"),
});

export const taskList = defineTool({
  name: "task.list",
  title: "List tasks",
  description:
    "Lists the calls that task.schedule made: when they are due next, on whose behalf, how they went the last time, and those that are over. What a call of a task did is in sec.audit, under the call's id.",
  input: z.lazy(() =>
    z.strictObject({
      over: z.boolean().default(false).describe("also tasks that are over"),
      offset: z.number().int().min(0).max(100_000).default(0).describe("tasks to skip"),
      limit: z.number().int().min(1).max(50).default(20).describe("tasks to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      tasks: z.array(Line),
      total: z.number().int(),
      truncated: z.boolean().describe("there are more: ask with a larger offset"),
    }),
  ),
  risk: "observe",
  timeout_ms: 10_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: () => ({ resources: [{ kind: "timer", id: "*", access: "read", attributes: {} }] }),
  run(_target, { over, offset, limit }, { state }) {
    const found = allTasks(state)
      .filter((task) => over || task.next_ms !== null || task.running_due_ms !== null)
      .sort((a, b) => (a.next_ms ?? Number.MAX_SAFE_INTEGER) - (b.next_ms ?? Number.MAX_SAFE_INTEGER));
    const tasks = found.slice(offset, offset + limit).map(lineOf);
    return { tasks, total: found.length, truncated: offset + tasks.length < found.length };
  },
});

function lineOf({ role: _role, owner: _owner, tainted: _tainted, running_due_ms, ...task }: Task): z.infer<typeof Line> {
  return { ...task, running: running_due_ms !== null, arguments: JSON.stringify(task.arguments).slice(0, arguments_chars_max) };
}
