/** How often a playbook has helped, by the decisions on record. */

import type { Decision } from "../../contracts/decision.ts";

export interface TrackRecord {
  readonly tries: number;
  readonly worked: number;
  /** The chance that it helps the next time: the mean of a uniform prior and what was seen (rule of succession, Laplace). */
  readonly expected: number;
}

export function ruleOf(playbook: string): string {
  return `playbook ${playbook}`;
}

/** Tries that are not over, and calls that nobody was allowed to make, say nothing. */
export function recordOf(decisions: readonly Decision[], playbook: string): TrackRecord {
  const rule = ruleOf(playbook);
  const over = decisions.filter((one) => one.rule === rule && (one.outcome.result === "done" || one.outcome.result === "failed"));
  const worked = over.filter((one) => one.outcome.result === "done").length;
  return { tries: over.length, worked, expected: (worked + 1) / (over.length + 2) };
}
