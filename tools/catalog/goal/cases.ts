/** Cases of the tools of goals (testing/case.ts), with the real memory behind them. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { openReadOnly } from "../../../wire/database.ts";
import type { ToolCase, World } from "../../testing/case.ts";

const text = "serve /srv/www on port 8080 and keep it up";
const unknown_id = "0badcafe-goal-999999";

/** What is wanted, and whether it is pursued; what was cancelled is as if nobody had asked for it. */
function observe({ places }: World): unknown {
  const file = join(places.data, "memory/memory.db");
  if (!existsSync(file)) return [];
  const db = openReadOnly(file);
  try {
    return db
      .prepare(
        `SELECT json_extract(body, '$.text') AS text, state = 'paused' AS paused FROM work_items
         WHERE kind = 'goal' AND state <> 'cancelled' ORDER BY 1, 2`,
      )
      .all();
  } finally {
    db.close();
  }
}

async function added(world: World, ...then: string[]): Promise<{ id: string }> {
  const { goal } = await world.call("goal.add", { text });
  const { id } = z.object({ id: z.string() }).parse(goal);
  for (const tool of then) await world.call(tool, { id });
  return { id };
}

const holds =
  (wanted: string): NonNullable<ToolCase["check"]> =>
  (answer) => {
    if (!JSON.stringify(answer).includes(wanted)) throw new Error(`the answer does not hold "${wanted}": ${JSON.stringify(answer)}`);
  };
const bad = (): Record<string, unknown>[] => [{ id: unknown_id }, { id: "web" }, {}];

export const goal_cases: readonly ToolCase[] = [
  {
    tool: "goal.add",
    name: "a new one",
    prepare: () => ({ text }),
    observe,
    bad: () => [{ text: " " }, { text: "x".repeat(2001) }, {}],
    check: holds(`"state":"new"`),
  },
  { tool: "goal.pause", name: "one that is new", prepare: (world) => added(world), observe, bad, check: holds(`"state":"paused"`) },
  {
    tool: "goal.resume",
    name: "one that is paused",
    prepare: (world) => added(world, "goal.pause"),
    observe,
    bad,
    check: holds(`"state":"planning"`),
  },
  {
    tool: "goal.resume",
    name: "one that was cancelled",
    prepare: (world) => added(world, "goal.cancel"),
    observe,
    check: holds(`"state":"planning"`),
  },
  { tool: "goal.cancel", name: "one that is new", prepare: (world) => added(world), observe, bad, check: holds(`"state":"cancelled"`) },
  {
    tool: "goal.list",
    name: "those that are pursued",
    prepare: (world) => added(world).then(() => ({})),
    observe,
    bad: () => [{ limit: 0 }, { states: ["open"] }],
    check: holds(text),
  },
  { tool: "goal.show", name: "one, with what became of it", prepare: (world) => added(world), observe, bad, check: holds(`"to":"new"`) },
];
