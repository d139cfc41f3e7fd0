import { expect, test } from "bun:test";
import type { GoalsAnswer } from "../../../contracts/goal.ts";
import { noPaint } from "../text/style.ts";
import { goalsView } from "./goals.ts";

const view = { paint: noPaint, width: undefined };
const goal = (id: number, made_by: string, text: string): GoalsAnswer["goals"][number] => ({
  ...{ id: `0badcafe-goal-${id}`, kind: "goal", state: "new", ended: false, version: 1, parent: null, root: `0badcafe-goal-${id}` },
  ...{ created_ms: 0, changed_ms: 0, made_by, changed_by: made_by, reason: "wanted" },
  body: { text, keep: true, check: null, progress: null, waits_for: null, taint: [] },
});

test("a goal of the system's own says by which tier, one of a person by whom", () => {
  const goals = [goal(2, "broker (tier:tactical)", "keep service web running"), goal(1, "broker (anna)", "serve /srv on port 80")];
  expect(goalsView({ goals, more: false }, view).join("\n")).toMatchInlineSnapshot(`
    "0badcafe-goal-2  1970-01-01T00:00:00  new · to be kept · by tier:tactical
      keep service web running
    0badcafe-goal-1  1970-01-01T00:00:00  new · to be kept · by anna
      serve /srv on port 80"
  `);
});
