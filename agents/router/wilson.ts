/**
 * The score interval of a proportion (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
 * J. Am. Stat. Assoc. 22, 1927): what the chance may be, given how often something worked. It holds for few tries too.
 */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** @param deviations of the normal distribution: 1.645 leaves 5 % on each side */
export function scoreInterval(worked: number, tries: number, deviations: number): Interval {
  if (tries === 0) return { low: 0, high: 1 };
  const square = deviations ** 2;
  const share = worked / tries;
  const middle = share + square / (2 * tries);
  const spread = deviations * Math.sqrt((share * (1 - share)) / tries + square / (4 * tries ** 2));
  const whole = 1 + square / tries;
  return { low: Math.max(0, (middle - spread) / whole), high: Math.min(1, (middle + spread) / whole) };
}
