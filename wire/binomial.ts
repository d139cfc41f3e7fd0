/**
 * What a chance may be, given how often something worked: the exact interval (C. J. Clopper and E. S. Pearson, "The use of confidence
 * or fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934). Where a rule is to run with nobody looking, it is
 * never narrower than what was seen allows, for however few tries.
 */

/** On each side. */
export const doubt = 0.05;
/** Halvings of the interval: more digits than a double has. */
const steps = 60;

/** The chance is at least this, but for `doubt`: the one with which as many or more would have worked in `doubt` of cases. */
export function lowerBound(worked: number, tries: number): number {
  if (worked === 0) return 0;
  return root((chance) => 1 - atMost(worked - 1, tries, chance) > doubt);
}

/** The chance is at most this, but for `doubt`. */
export function upperBound(worked: number, tries: number): number {
  if (worked === tries) return 1;
  return root((chance) => atMost(worked, tries, chance) < doubt);
}

/** How many must have worked, with none that failed, for the lower bound to be at least `chance`: the nth root of `doubt` is. */
export function successesFor(chance: number): number {
  return Math.ceil(Math.log(doubt) / Math.log(chance));
}

/** @param above of a chance: false up to the root, then true */
function root(above: (chance: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < steps; step += 1) {
    const middle = (low + high) / 2;
    if (above(middle)) high = middle;
    else low = middle;
  }
  return low;
}

/** The chance of at most `count` of `tries`, each with `chance`: the sum of binomial terms, by their logarithms. */
function atMost(count: number, tries: number, chance: number): number {
  if (count < 0) return 0;
  if (count >= tries || chance <= 0) return 1;
  if (chance >= 1) return 0;
  let term = tries * Math.log1p(-chance);
  let sum = Math.exp(term);
  for (let n = 1; n <= count; n += 1) {
    term += Math.log((tries - n + 1) / n) + Math.log(chance) - Math.log1p(-chance);
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}
