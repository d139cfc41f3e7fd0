/** How often something has helped, by the decisions on record. */

import type { Decision } from "../../contracts/decision.ts";

export interface TrackRecord {
  readonly tries: number;
  readonly worked: number;
  /**
   * The chance that it helps the next time: the mean of a beta prior and what was seen. The prior weighs as much as two tries and
   * has the mean that was judged beforehand; with 0.5 that is the rule of succession (Laplace).
   */
  readonly expected: number;
}

const prior_tries = 2;

export function ruleOf(playbook: string): string {
  return `playbook ${playbook}`;
}

/** Tries that are not over, and calls that nobody was allowed to make, say nothing. */
export function recordOf(decisions: readonly Decision[], rule: string, prior = 0.5): TrackRecord {
  const over = decisions.filter((one) => one.rule === rule && (one.outcome.result === "done" || one.outcome.result === "failed"));
  const worked = over.filter((one) => one.outcome.result === "done").length;
  return { tries: over.length, worked, expected: (worked + prior * prior_tries) / (over.length + prior_tries) };
}
