/**
 * Whether chances are better than others about the same cases. The logarithmic loss of each case is compared with its own (paired), and
 * the mean of the differences is drawn anew many times out of those seen (bootstrap: B. Efron, Ann. Statist. 7, 1979): its lower end at
 * 5 % has to be above zero. The draws are by a generator with a fixed seed: the same cases give the same verdict.
 */

import { seeded } from "../../wire/seeded.ts";

const draws = 1000;
const doubt = 0.05;
/** No chance counts as certain: one case must not decide. */
const least = 0.01;

export interface Guess {
  readonly chance: number;
  readonly worked: boolean;
}

export interface Score {
  readonly log_loss: number;
  readonly brier: number;
  readonly right: number;
}

export function lossOf({ chance, worked }: Guess): number {
  const bounded = Math.min(1 - least, Math.max(least, chance));
  return -Math.log(worked ? bounded : 1 - bounded);
}

export function scoreOf(guesses: readonly Guess[]): Score {
  const mean = (of: (one: Guess) => number): number => guesses.reduce((sum, one) => sum + of(one), 0) / Math.max(1, guesses.length);
  return {
    log_loss: mean(lossOf),
    brier: mean(({ chance, worked }) => (chance - (worked ? 1 : 0)) ** 2),
    right: guesses.filter(({ chance, worked }) => chance >= 0.5 === worked).length,
  };
}

/** @param gains of each case: its loss before less its loss after @returns what the mean gain is at least, but for a doubt of 5 % */
export function gainAtLeast(gains: readonly number[]): number {
  if (gains.length === 0) return 0;
  const random = seeded(0xa105);
  const means = Array.from({ length: draws }, () => {
    let sum = 0;
    for (let at = 0; at < gains.length; at += 1) sum += gains[Math.floor(random() * gains.length)] ?? 0;
    return sum / gains.length;
  }).sort((a, b) => a - b);
  return means[Math.floor(draws * doubt)] ?? 0;
}
