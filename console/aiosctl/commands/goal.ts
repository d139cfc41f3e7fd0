/** Commands for goals: each is a call of its tool, authorised and on record like any other. */

import type { Command } from "commander";
import { GoalAnswer, GoalChanged, GoalsAnswer } from "../../../contracts/goal.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { goalLines, goalsView, goalView } from "../views/goals.ts";
import type { Run } from "./look.ts";
import { call, look } from "./of-tool.ts";
import { showCall } from "./tools.ts";

const why = ["--why <text>", "the reason, for the record"] as const;

export function addGoalCommands(program: Command, run: Run): void {
  const goal = program.command("goal").description("what is to be so, in words: the system plans it, does it and keeps it so");
  const add = goal
    .command("add")
    .description("give it a goal (goal.add)")
    .argument("<words...>", "what is to be so: serve /srv/www on port 8080 and keep it up")
    .option("--keep", "to be kept so from then on, even if the plan would only reach it once")
    .option(...why);
  add.action(
    run(async (context) => {
      const { keep = false, why: reason } = add.opts<{ keep?: boolean; why?: string }>();
      const text = add.args.join(" ");
      return await changed(context, "goal.add", { text, keep }, reason ?? `a person wants "${text}"`.slice(0, 500));
    }),
  );
  const list = goal.command("list").description("those that are pursued (goal.list)");
  list.option("--all", "also those that are over").option("--limit <n>", "goals", "20");
  list.action(
    run(async (context) => {
      const { all, limit } = list.opts<{ all?: boolean; limit: string }>();
      return await look(context, "goal.list", { ended: all === true ? null : false, limit: Number(limit) }, (answer) =>
        goalsView(GoalsAnswer.parse(answer), context.view),
      );
    }),
  );
  const one = goal.command("show").description("one, with its plan, and every move with its reason (goal.show)").argument("<id>", "its id");
  one.action(
    run(async (context, id = "") => await look(context, "goal.show", { id }, (answer) => goalView(GoalAnswer.parse(answer), context.view))),
  );
  for (const [verb, what] of [
    ["pause", "no further step begins, nothing is checked"],
    ["resume", "take up again one that is paused, blocked, failed or cancelled"],
    ["cancel", "it is not wanted any more; what was done for it stays"],
  ] as const) {
    const moving = goal
      .command(verb)
      .description(`${what} (goal.${verb})`)
      .argument("<id>", "its id")
      .requiredOption(...why);
    moving.action(run(async (context, id = "") => await changed(context, `goal.${verb}`, { id }, moving.opts<{ why: string }>().why)));
  }
}

async function changed(context: Context, tool: string, args: Record<string, unknown>, reason: string): Promise<number> {
  const result = await call(context, tool, args, reason);
  const answer = result.structuredContent;
  if (answer === null) return showCall(context, result);
  show(context, answer, (given) => goalLines(GoalChanged.parse(given).goal, context.view));
  return exit.ok;
}
