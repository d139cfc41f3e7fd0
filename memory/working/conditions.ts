/** Conditions of moves (machines.ts): each says why it does not hold, or nothing. */

import type { WorkItem } from "../../contracts/memory/working/items.ts";
import { isOver, unmetNeeds } from "./plan.ts";

export type Condition =
  | "is-to-be-kept"
  | "is-not-to-be-kept"
  | "says-what-for"
  | "every-step-is-over"
  | "can-begin"
  | "has-attempts-left"
  | "no-other-is-open";

type Of<K extends WorkItem["kind"]> = Extract<WorkItem, { kind: K }>;

/** What conditions look at besides the item itself. */
export interface Around {
  item(id: string): WorkItem | null;
  steps(plan: string): Of<"step">[];
  openIncident(key: string): WorkItem | null;
}

/** @param item as it would be after the move @returns why not, or null */
export function unmet(condition: Condition, item: WorkItem, around: Around): string | null {
  switch (condition) {
    case "is-to-be-kept":
      return item.kind === "goal" && item.body.keep ? null : "it is to be reached once, not kept";
    case "is-not-to-be-kept":
      return item.kind === "goal" && !item.body.keep ? null : "it is to be kept: it has no end by itself";
    case "says-what-for":
      return "waits_for" in item.body && item.body.waits_for !== null ? null : "`waits_for` does not say for what";
    case "every-step-is-over": {
      const left = around.steps(item.id).filter((step) => !isOver(step));
      return left.length === 0 ? null : `these steps are not done or skipped: ${left.map(({ body }) => body.key).join(", ")}`;
    }
    case "can-begin":
      return item.kind === "step" ? cannotBegin(item, around) : "it is no step";
    case "has-attempts-left":
      return item.kind === "step" ? noAttemptLeft(item) : "it is no step";
    case "no-other-is-open": {
      const other = item.kind === "incident" ? around.openIncident(item.body.key) : null;
      return other === null || other.id === item.id ? null : `"${other.id}" is about the same and open`;
    }
  }
}

function noAttemptLeft({ body }: Of<"step">): string | null {
  return body.attempts < body.attempts_max ? null : `it was tried ${body.attempts} times, which is all that it may be`;
}

function cannotBegin(step: Of<"step">, around: Around): string | null {
  const plan = step.parent === null ? null : around.item(step.parent);
  if (plan?.state !== "active") return `its plan is ${plan?.state ?? "missing"}, not active`;
  const needs = unmetNeeds(step, around.steps(plan.id));
  return needs.length > 0 ? `it needs ${needs.join(", ")}` : noAttemptLeft(step);
}
