/** Plans as directed graphs without circles: which steps need which, and which can begin. */

import type { WorkItem } from "../../contracts/memory/working/items.ts";
import type { StepDraft } from "../../contracts/memory/working/plans.ts";

type Step = Extract<WorkItem, { kind: "step" }>;
type Node = Pick<StepDraft, "key" | "needs">;

export const steps_max = 64;

/** @returns what is wrong with them as the steps of one plan, or null */
export function planFault(steps: readonly Node[]): string | null {
  if (steps.length > steps_max) return `it would have ${steps.length} steps, more than ${steps_max}: make a task of a part of it`;
  const keys = new Set<string>();
  for (const { key } of steps) {
    if (keys.has(key)) return `two steps are called "${key}"`;
    keys.add(key);
  }
  for (const { key, needs } of steps) {
    const missing = needs.find((need) => !keys.has(need));
    if (missing !== undefined) return `step "${key}" needs "${missing}", which is no step of it`;
  }
  const circle = inCircles(steps);
  return circle.length === 0 ? null : `these steps need each other in a circle: ${circle.join(", ")}`;
}

/** Takes away what needs nothing that is left, until nothing is: what stays is in a circle or behind one. */
function inCircles(steps: readonly Node[]): string[] {
  let left = [...steps];
  for (;;) {
    const keys = new Set(left.map(({ key }) => key));
    const held = left.filter(({ needs }) => needs.some((need) => keys.has(need)));
    if (held.length === left.length) return left.map(({ key }) => key);
    left = held;
  }
}

/** Nothing that needs it has to wait for it any more. */
export function isOver({ state }: Step): boolean {
  return state === "done" || state === "skipped";
}

export function unmetNeeds({ body }: Step, steps: readonly Step[]): string[] {
  const over = new Set(steps.filter(isOver).map((step) => step.body.key));
  return body.needs.filter((need) => !over.has(need));
}

export interface Readiness {
  readonly ready: Step[];
  readonly blocked: { readonly step: Step; readonly by: string[] }[];
}

/** Of the steps that are pending. */
export function readiness(steps: readonly Step[]): Readiness {
  const found: Readiness = { ready: [], blocked: [] };
  for (const step of steps) {
    if (step.state !== "pending") continue;
    const by = unmetNeeds(step, steps);
    if (by.length === 0) found.ready.push(step);
    else found.blocked.push({ step, by });
  }
  return found;
}
