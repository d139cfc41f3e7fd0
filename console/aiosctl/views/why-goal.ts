/** `aiosctl why GOAL`: what was wanted by whom, how it went and why, and how it was to be reached. */

import type { WhyGoal } from "../../../contracts/why.ts";
import { pad, plain } from "../text/plain.ts";
import { span } from "../text/units.ts";
import type { View } from "./view.ts";

/** A goal lives for weeks: the time of the day alone would not do. */
const at = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

export function whyGoalLines(
  { id, text, state, keep, made_by, from_outside, waits_for, check, moves, plans }: WhyGoal,
  view: View,
): string[] {
  const { paint } = view;
  const words = from_outside ? `from outside «${plain(text)}»` : plain(text);
  return [
    `  ${paint("bold", state)}${keep ? ", to be kept" : ""}  ${words}  ${paint("dim", `by ${plain(made_by)}`)}  ${paint("grey", id)}`,
    ...(waits_for === null ? [] : [`    waits for ${plain(waits_for)}`]),
    ...(check === null ? [] : [`    checked every ${span(check.every_ms)} by ${check.tool} ${plain(JSON.stringify(check.arguments))}`]),
    ...moves.map(
      ({ time_ms, who, to, why }) =>
        `    ${paint("dim", at(time_ms))} ${pad(plain(to), 12)} ${paint("dim", `${plain(who)}:`)} ${plain(why)}`,
    ),
    "",
    paint("bold", "How it was to be reached"),
    ...(plans.length === 0 ? ["  no plan was made"] : plans.flatMap((plan) => planLines(plan, view))),
  ];
}

function planLines({ id, state, purpose, why, steps }: WhyGoal["plans"][number], { paint }: View): string[] {
  return [
    `  ${paint("bold", state)}  ${plain(purpose)}: ${plain(why)}  ${paint("grey", id)}`,
    ...steps.map((step) => {
      const tool = step.tool === null ? "" : ` ${paint("cyan", step.tool)}`;
      const result = step.result === null ? "" : `: ${plain(step.result)}`;
      const calls = step.calls.length === 0 ? "" : `  ${paint("grey", step.calls.join(" "))}`;
      return `    ${pad(step.state, 8)} ${plain(step.title)}${tool}${result}${calls}`;
    }),
  ];
}
