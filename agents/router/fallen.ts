/**
 * Whether a classifier that was switched on has become worse than what earlier cases say, by what came of the decisions since: the mean
 * of the differences of their losses is above zero but for a doubt of 5 % (one-sided, normal approximation of the mean of paired differences).
 */

import type { Try } from "../../contracts/learning.ts";

const outcomes_min = 20;
const deviations = 1.645;
const least = 0.01;

/** @param since_ms wall clock: when it was switched on @returns what was seen, or null: it has not fallen */
export function fallen(tries: readonly Try[], since_ms: number): string | null {
  const worse = tries.flatMap(({ signals, helped, time_ms }) => {
    const [classifier, neighbours] = [signals?.["classifier"], signals?.["neighbours"]];
    if (classifier === undefined || neighbours === undefined || time_ms < since_ms) return [];
    return [loss(classifier, helped) - loss(neighbours, helped)];
  });
  if (worse.length < outcomes_min) return null;
  const mean = worse.reduce((sum, one) => sum + one, 0) / worse.length;
  const variance = worse.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (worse.length - 1);
  const low = mean - deviations * Math.sqrt(variance / worse.length);
  return low > 0 ? `its loss on ${worse.length} outcomes is larger than that of earlier cases by at least ${low.toFixed(3)}` : null;
}

function loss(chance: number, worked: boolean): number {
  const bounded = Math.min(1 - least, Math.max(least, chance));
  return -Math.log(worked ? bounded : 1 - bounded);
}
