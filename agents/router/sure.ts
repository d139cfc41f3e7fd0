/**
 * From which chance on a tier is sure enough to act, learned from what came of its decisions. They are counted by the tenth in
 * which their chance lay. The threshold goes down past tenths that have proven worth it (the lower end of the interval is at
 * least what the tier began with), and up past those that have proven not to be (the upper end is below it).
 */

import type { Try } from "../../contracts/learning.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { scoreInterval } from "./wilson.ts";

const tenths = 10;

interface Count {
  tries: number;
  worked: number;
}

export interface Sure {
  readonly sure_min: number;
  /** Whether it is what the tier began with. */
  readonly learned: boolean;
}

/** @param tries on record, of any tier */
export function sureMin(tries: readonly Try[], tier: "tactical" | "strategic", thresholds: Thresholds): Sure {
  const begin = thresholds.acting[tier].sure_min;
  const { outcomes_min, deviations, least, most } = thresholds.learning;
  const counts = byTenth(tries.filter((one) => one.tier === tier));
  const interval = (tenth: number) => {
    const { tries, worked } = counts[tenth] ?? { tries: 0, worked: 0 };
    return tries < outcomes_min ? null : scoreInterval(worked, tries, deviations);
  };
  let sure_min = begin;
  for (let tenth = tenthOf(begin) - (isEdge(begin) ? 1 : 0); tenth >= 0 && (interval(tenth)?.low ?? 0) >= begin; tenth -= 1)
    sure_min = tenth / tenths;
  if (sure_min === begin)
    for (let tenth = tenthOf(begin); tenth < tenths && (interval(tenth)?.high ?? 1) < begin; tenth += 1) sure_min = (tenth + 1) / tenths;
  sure_min = Math.min(most, Math.max(least, sure_min));
  return { sure_min, learned: sure_min !== begin };
}

function byTenth(tries: readonly Try[]): readonly Count[] {
  const counts: Count[] = Array.from({ length: tenths }, () => ({ tries: 0, worked: 0 }));
  for (const { confidence, helped } of tries) {
    if (confidence === null) continue;
    const count = counts[tenthOf(confidence)];
    if (count === undefined) continue;
    count.tries += 1;
    if (helped) count.worked += 1;
  }
  return counts;
}

function tenthOf(chance: number): number {
  // 0.3 * 10 is a little more than 3, 0.7 * 10 a little less than 7
  return Math.min(tenths - 1, Math.floor(chance * tenths + 1e-9));
}

function isEdge(chance: number): boolean {
  return Math.abs(chance * tenths - Math.round(chance * tenths)) < 1e-9;
}
