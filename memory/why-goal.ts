/** The chain behind one goal (contracts/why.ts): what was wanted, how it went, and what was done about its services meanwhile. */

import type { WorkItem } from "../contracts/memory/working/items.ts";
import { type WhyGoal, why_chars_max } from "../contracts/why.ts";
import type { Items } from "./working/items.ts";

/** Moves of one goal, and plans with their steps: the answer has to fit into a frame. */
const moves_max = 48;
const plans_max = 4;
/** Incidents of one service that are looked at, the newest. */
const looked_at_max = 50;

export type Goal = Extract<WorkItem, { kind: "goal" }>;
type Step = Extract<WorkItem, { kind: "step" }>;

/** By its own id, or by that of a plan or a step of it; null: there is none. */
export function goalOf(items: Items, id: string): Goal | null {
  const asked = items.item(id);
  const item = asked === null ? null : items.item(asked.root);
  return item?.kind === "goal" ? item : null;
}

export function toldGoal(items: Items, { id, state, made_by, body }: Goal): WhyGoal {
  const moves = items.history(id, undefined, moves_max).reverse();
  const { items: plans } = items.list({ kinds: ["plan"], parent: id, limit: plans_max });
  return {
    ...{ id, state, made_by, text: body.text, keep: body.keep, check: body.check },
    ...{ from_outside: body.taint.length > 0, waits_for: body.waits_for?.what ?? null },
    moves: moves.map(({ time_ms, who, to, why }) => ({ time_ms, who, to, why })),
    plans: plans.flatMap((plan) =>
      plan.kind !== "plan"
        ? []
        : { id: plan.id, state: plan.state, purpose: plan.body.purpose, why: plan.reason, steps: items.steps(plan.id).map(stepInShort) },
    ),
  };
}

function stepInShort({ id, state, body: { key, title, tool, calls, result } }: Step): WhyGoal["plans"][number]["steps"][number] {
  const short = result === null || result.length <= why_chars_max ? result : `${result.slice(0, why_chars_max - 1)}…`;
  return { id, key, title, state, tool, calls, result: short };
}

/** Ids of the incidents about its services that began while it was pursued, newest first. */
export function servedBy(items: Items, goal: Goal): string[] {
  const until_ms = goal.ended ? goal.changed_ms : Number.POSITIVE_INFINITY;
  const found = servicesOf(items, goal).flatMap((service) => items.list({ kinds: ["incident"], service, limit: looked_at_max }).items);
  return found
    .filter(({ created_ms }) => created_ms >= goal.created_ms && created_ms <= until_ms)
    .sort((one, other) => other.created_ms - one.created_ms)
    .map(({ id }) => id);
}

/** Those that its standing check and the steps of its newest plans name. */
function servicesOf(items: Items, { id, body: { check } }: Goal): string[] {
  const { items: plans } = items.list({ kinds: ["plan"], parent: id, limit: plans_max });
  const calls = [check, ...plans.flatMap((plan) => items.steps(plan.id).map(({ body }) => body))];
  const names = calls.flatMap((call) => (call?.tool?.startsWith("service.") === true ? call.arguments["name"] : []));
  return [...new Set(names.filter((name) => typeof name === "string"))];
}
