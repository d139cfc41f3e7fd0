/** Goals, for people. */

import type { GoalAnswer, GoalsAnswer } from "../../../contracts/goal.ts";
import type { WorkItem } from "../../../contracts/memory/working/items.ts";
import { plain } from "../text/plain.ts";
import { span } from "../text/units.ts";
import type { View } from "./view.ts";

const at = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

export function goalsView({ goals, more }: GoalsAnswer, view: View): string[] {
  if (goals.length === 0) return ["no goal"];
  return [...goals.flatMap((goal) => goalLines(goal, view)), ...(more ? ["… and older ones"] : [])];
}

export function goalView({ goal, plan, steps, lease, history }: GoalAnswer, view: View): string[] {
  const { paint } = view;
  return [
    ...goalLines(goal, view),
    ...checkLines(goal),
    ...(lease === null ? [] : [`  ${plain(lease.holder)} works on it for ${span(lease.left_ms)} more`]),
    ...(plan?.kind === "plan" ? [`  plan, ${plan.state}: ${plain(plan.body.purpose)}`] : []),
    ...steps.flatMap(stepLines),
    ...history
      .toReversed()
      .map(({ time_ms, to, who, why }) => `  ${paint("grey", at(time_ms))} ${plain(to)}, ${plain(who)}: ${plain(why)}`),
  ];
}

export function goalLines({ id, kind, state, body, changed_ms, made_by }: WorkItem, { paint }: View): string[] {
  if (kind !== "goal") return [];
  // for whom the broker made it: a person by name, a tier by `tier:`
  const origin = /\((.*)\)$/.exec(made_by)?.[1] ?? made_by;
  const progress = body.progress === null ? [] : [`${Math.round(body.progress * 100)} %`];
  const about = [state, ...(body.keep ? ["to be kept"] : []), ...progress, `by ${origin}`].map(plain);
  return [
    `${paint("bold", plain(id))}  ${paint("grey", `${at(changed_ms)}  ${about.join(" · ")}`)}`,
    `  ${plain(body.text)}`,
    ...(body.taint.length === 0 ? [] : [`  ${paint("yellow", "tainted")} ${plain(body.taint.join(", "))}`]),
    ...(body.waits_for === null ? [] : [`  waits for ${plain(body.waits_for.what)}`]),
  ];
}

function checkLines({ kind, body }: WorkItem): string[] {
  if (kind !== "goal" || body.check === null) return [];
  const { tool, arguments: args, expect, every_ms } = body.check;
  return [`  checked every ${span(every_ms)}: ${tool} ${plain(JSON.stringify(args))} has to hold ${plain(JSON.stringify(expect))}`];
}

function stepLines({ kind, state, body }: WorkItem): string[] {
  if (kind !== "step") return [];
  const result = body.result === null ? "" : `: ${body.result}`;
  return [`  step ${body.key}, ${state}: ${body.tool ?? ""} ${plain(JSON.stringify(body.arguments))}${plain(result)}`];
}
