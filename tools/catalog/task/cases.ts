/** Cases of the task tools (testing/case.ts). None is due while it is looked at. */

import type { ToolCase, World } from "../../testing/case.ts";
import { valuesIn } from "../../testing/values.ts";
import { Task } from "./shared/task.ts";

const observe = ({ places }: World) => valuesIn(places.broker, "task", "task:");

/** What two runs of the same call have in common. */
function effect(world: World): unknown {
  return observe(world).map(({ value }) => {
    const { name, tool, arguments: args, reason, schedule, missed, principal } = Task.parse(JSON.parse(value));
    return { name, tool, args, reason, schedule, missed, principal };
  });
}

const year_2100_ms = 4_102_444_800_000;
const nightly = { name: "nightly", tool: "process.list", arguments: { limit: 1 }, reason: "to see", schedule: { cron: "30 2 * * *" } };

const bad = () => [
  { ...nightly, name: "Nightly" },
  { ...nightly, tool: "no.such" },
  { ...nightly, tool: "task.cancel", arguments: { name: "nightly" } },
  { ...nightly, arguments: { limit: 0 } },
  { ...nightly, arguments: { limit: 1, more: true } },
  { ...nightly, reason: "" },
  { ...nightly, schedule: { cron: "* * * *" } },
  { ...nightly, schedule: { cron: "0 0 31 2 *" } },
  { ...nightly, schedule: { cron: "$(id) * * * *" } },
  { ...nightly, schedule: { at_ms: 1000 } },
  { ...nightly, schedule: { every_ms: 10 } },
  { ...nightly, schedule: { every_ms: 60_000, at_ms: year_2100_ms } },
];

export const task_cases: readonly ToolCase[] = [
  { tool: "task.schedule", name: "by cron", prepare: () => nightly, observe, effect, bad },
  { tool: "task.schedule", name: "once", prepare: () => ({ ...nightly, schedule: { at_ms: year_2100_ms } }), observe, effect, bad },
  {
    tool: "task.schedule",
    name: "at an interval",
    prepare: () => ({ ...nightly, schedule: { every_ms: 31_536_000_000 } }),
    observe,
    effect,
    bad,
  },
  {
    tool: "task.cancel",
    name: "one that waits",
    async prepare(world) {
      await world.call("task.schedule", nightly);
      return { name: "nightly" };
    },
    observe,
    bad: () => [{ name: "other" }, { name: "../nightly" }],
  },
  {
    tool: "task.list",
    name: "all",
    async prepare(world) {
      await world.call("task.schedule", nightly);
      return { over: true };
    },
    observe,
    bad: () => [{ limit: 0 }],
  },
];
