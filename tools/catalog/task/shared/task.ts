/** A task as it is kept: a call that is made later, by whoever scheduled it. */

import { z } from "zod";
import { CallId, CallStatus, JsonPointer, Principal, Role, ToolName } from "../../../../contracts/tool.ts";
import type { State } from "../../../context.ts";
import { Schedule } from "./schedule.ts";

export const TaskName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "a task's name is a lower-case letter, then up to 39 of a-z 0-9 -");

export const LastRun = z.lazy(() =>
  z.strictObject({
    due_ms: z.number().describe("when it was due, milliseconds since 1970"),
    at_ms: z.number().describe("when it was run or given up"),
    call: CallId.nullable().describe("the call that was made; audit and undo know it"),
    status: z
      .union([CallStatus, z.literal("missed")])
      .describe("how the call ended; missed: its time passed while nothing could run, and it was skipped"),
    text: z.string(),
  }),
);
export type LastRun = z.infer<typeof LastRun>;

export const Task = z.strictObject({
  name: TaskName,
  tool: ToolName,
  arguments: z.record(z.string(), z.unknown()),
  reason: z.string(),
  schedule: Schedule,
  missed: z.enum(["run", "skip"]),
  /** On whose behalf: judged anew each time. */
  principal: Principal,
  role: Role.nullable(),
  owner: Principal.nullable(),
  /** Arguments that derive from text of outside, as pointers. */
  tainted: z.array(JsonPointer),
  scheduled_by: CallId,
  created_ms: z.number(),
  /** When it is due next; null: it has been, for the last time. */
  next_ms: z.number().nullable(),
  /** The time for which a call is being made: with it the call's key, so that it is made once whatever happens. */
  running_due_ms: z.number().nullable(),
  runs: z.number().int(),
  last: LastRun.nullable(),
});
export type Task = z.infer<typeof Task>;

const prefix = "task:";

export function readTask(name: string, state: State): Task | null {
  const found = Task.safeParse(state.get(prefix + name));
  return found.success ? found.data : null;
}

export function keepTask(task: Task, state: State): void {
  state.put(prefix + task.name, task);
}

export function dropTask(name: string, state: State): void {
  state.delete(prefix + name);
}

/** By name. */
export function allTasks(state: State): Task[] {
  return state.list(prefix).flatMap(({ value }) => {
    const found = Task.safeParse(value);
    return found.success ? [found.data] : [];
  });
}
