/** task.schedule */

import { z } from "zod";
import { ToolName } from "../../../contracts/tool.ts";
import { issuesText } from "../../../wire/issues.ts";
import { redact } from "../../audit/redact.ts";
import type { CatalogParts } from "../../load.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { firstTime, Schedule } from "./shared/schedule.ts";
import { allTasks, dropTask, keepTask, readTask, TaskName } from "./shared/task.ts";

const tasks_max = 200;
const arguments_chars_max = 32_768;

const input = z.lazy(() =>
  z.strictObject({
    name: TaskName.describe("a name for the task, by which task.cancel and task.list know it"),
    tool: ToolName.describe("the tool that is called"),
    arguments: z.record(z.string(), z.unknown()).describe("its arguments, as for the tool itself; at most 32 KiB of JSON, no secrets"),
    reason: z.string().min(1).max(1000).describe("why it is called: stands in the audit each time"),
    schedule: Schedule.describe("when"),
    missed: z
      .enum(["run", "skip"])
      .default("run")
      .describe("what becomes of times that passed while the system was off: run it once as soon as it is up, or skip them"),
  }),
);
type Input = z.infer<typeof input>;

/** @param toolOf those that can be scheduled */
export function taskSchedule(toolOf: CatalogParts["toolOf"]) {
  const resolve = async (wish: Input, now_ms: number): Promise<Target> => {
    const about = `scheduling the task "${wish.name}" failed`;
    const tool = await toolOf(wish.tool);
    if (tool === undefined) throw new ToolError(`${about}: there is no tool "${wish.tool}"; tools/list names those that there are`);
    if (wish.tool.startsWith("task."))
      throw new ToolError(`${about}: a task cannot schedule tasks; schedule the call itself, with a cron expression or an interval`);
    if (JSON.stringify(wish.arguments).length > arguments_chars_max)
      throw new ToolError(
        `${about}: its arguments are longer than ${arguments_chars_max} characters of JSON; put what is long into a file`,
      );
    const parsed = tool.input.safeParse(wish.arguments);
    if (!parsed.success) throw new ToolError(`${about}: the arguments of ${wish.tool} do not fit: ${issuesText(parsed.error)}`);
    if (redact(tool.input, wish.arguments).secret)
      throw new ToolError(`${about}: arguments of ${wish.tool} hold a secret, which would be kept; name one that sec.secrets keeps`);
    firstTime(wish.schedule, now_ms);
    const attributes = { tool: wish.tool, risk: tool.risk, recurring: !("at_ms" in wish.schedule) };
    return { resources: [{ kind: "timer", id: wish.name, access: "write", attributes }] };
  };
  return defineTool({
    name: "task.schedule",
    title: "Schedule a call",
    description:
      "Makes a tool call later: once at a time, at an interval, or by a cron expression (UTC). The call is made in the name of whoever scheduled it, is authorised anew each time, and stands in the audit as a call of its own. Tasks survive a reboot. Use it for what has to happen at a time; for a program that always runs use service.define. It does not wait for the result: task.list shows the last one.",
    input,
    output: z.strictObject({ name: TaskName, next_ms: z.number().describe("when it is due first, milliseconds since 1970") }),
    risk: "reversible",
    timeout_ms: 10_000,
    idempotent: false,
    tainted: false,
    image: z.strictObject({ name: TaskName }),
    resolve: (wish, context) => resolve(wish, context.clock.now_ms()),
    preview: (_target, wish) => ({
      changes: [`${wish.tool} is called ${JSON.stringify(wish.schedule)} with ${JSON.stringify(wish.arguments).slice(0, 500)}`],
      final: [],
    }),
    snapshot(_target, { name }, { state }) {
      const known = readTask(name, state);
      if (known !== null && (known.next_ms !== null || known.running_due_ms !== null))
        throw new ToolError(`scheduling the task "${name}" failed: there is one of this name; cancel it first, or choose another name`);
      const waiting = allTasks(state).filter(({ next_ms }) => next_ms !== null).length;
      if (waiting >= tasks_max)
        throw new ToolError(`scheduling the task "${name}" failed: ${waiting} wait already, the most there may be; cancel one`);
      return { name };
    },
    run(_target, wish, { state, clock, principal, role, owner, tainted, call }) {
      const now = clock.now_ms();
      const next_ms = firstTime(wish.schedule, now);
      const prefix = "/arguments";
      // the empty pointer is the whole of it, and so are all arguments
      const marks = tainted
        .filter((pointer) => pointer === "" || pointer === prefix || pointer.startsWith(`${prefix}/`))
        .map((pointer) => pointer.slice(prefix.length));
      const who = { principal, role, owner, tainted: marks, scheduled_by: call };
      keepTask({ ...wish, ...who, created_ms: now, next_ms, running_due_ms: null, runs: 0, last: null }, state);
      return { name: wish.name, next_ms };
    },
    settled: ({ name }, { call }, { state }) => readTask(name, state)?.scheduled_by === call,
    undo({ name }, { call }, { state }) {
      if (readTask(name, state)?.scheduled_by === call) dropTask(name, state);
    },
    verifyUndone({ name }, { call }, { state }) {
      if (readTask(name, state)?.scheduled_by === call) throw new ToolError(`verifying the task "${name}" failed: it is still there`);
    },
  });
}
