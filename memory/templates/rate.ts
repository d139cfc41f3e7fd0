/**
 * How often lines of a template come, and whether that is unusual. Kept as two exponentially weighted moments of the lines
 * a minute (a memory of about an hour), so that nothing has to be looked up.
 *
 * The test: were lines to come at random with the mean and spread of the past (Poisson, with its variance scaled to the
 * observed one: quasi-Poisson), how likely were this many in one minute? Chernoff's bound for that is
 * exp(-(n ln(n / mean) - n + mean) / spread). Below one in a million it is a burst. Likewise for none in k minutes:
 * exp(-k mean / spread); then the template fell silent. In its first half hour a template has no past to be far from, and
 * none again after a week without a line, or a clock that was set ahead as far: then it is learned anew.
 */

export interface Rate {
  /** Weighted sums of the lines a minute and of their squares, and the weight of both (less than 1 in the beginning). */
  sum: number;
  square: number;
  weight: number;
  /** Minutes since 1970 of the minute in work, and its lines. */
  minute: number;
  minute_lines: number;
  /** From this number of lines in a minute on it is a burst. */
  burst_from: number;
}

export type Verdict = "learning" | "usual" | "burst" | "silent";

const share = 1 / 60;
/** ln(1e6) */
const unlikely = 13.8;
const learning_weight = 1 - (1 - share) ** 30;
const burst_lines_min = 5;
/** So rare that less cannot be told from never. */
const mean_min = 1e-4;
/** Lines come a little late; what is older was counted by a clock that has been set back since. */
const late_minutes_max = 10;
const gone_minutes = 7 * 24 * 60;

export function newRate(minute: number): Rate {
  return { sum: 0, square: 0, weight: 0, minute, minute_lines: 0, burst_from: Number.POSITIVE_INFINITY };
}

/** Counts one line. One that is a little late counts in the minute in work. @returns whether this is a burst */
export function countLine(rate: Rate, minute: number): boolean {
  if (minute > rate.minute) advance(rate, minute);
  else if (minute < rate.minute - late_minutes_max) {
    advance(rate, rate.minute + 1);
    rate.minute = minute;
  }
  rate.minute_lines += 1;
  return rate.minute_lines >= rate.burst_from;
}

/** Ends the minute in work, and those without a line up to `minute`. */
export function advance(rate: Rate, minute: number): void {
  const empty = minute - rate.minute - 1;
  if (empty > gone_minutes) {
    Object.assign(rate, newRate(minute));
    return;
  }
  const lines = rate.minute_lines;
  const keep = (1 - share) ** empty;
  rate.sum = (rate.sum + share * (lines - rate.sum)) * keep;
  rate.square = (rate.square + share * (lines * lines - rate.square)) * keep;
  rate.weight = 1 - (1 - rate.weight) * (1 - share) * keep;
  rate.minute = minute;
  rate.minute_lines = 0;
  rate.burst_from = burstFrom(rate);
}

/** Lines a minute that the past says. */
export function expected(rate: Rate): number {
  return rate.weight === 0 ? 0 : rate.sum / rate.weight;
}

/** Lines of the minute in work against the usual ones; what comes less than once a minute counts as once: five lines of it are no thousands. */
export function timesUsual(rate: Rate): number {
  return rate.minute_lines / Math.max(expected(rate), 1);
}

function spread(rate: Rate, mean: number): number {
  const variance = rate.square / rate.weight - mean * mean;
  return Math.max(1, variance / mean);
}

/** -ln of the bound; 0 when there are no more than expected. */
export function surprise(rate: Rate, lines: number): number {
  const mean = Math.max(expected(rate), mean_min);
  if (rate.weight < learning_weight || lines <= mean) return 0;
  return (lines * Math.log(lines / mean) - lines + mean) / spread(rate, mean);
}

export function burstFrom(rate: Rate): number {
  if (rate.weight < learning_weight) return Number.POSITIVE_INFINITY;
  let low = Math.max(burst_lines_min, Math.ceil(expected(rate)));
  let high = low;
  while (surprise(rate, high) < unlikely && high < 1e9) high *= 2;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (surprise(rate, middle) < unlikely) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How it is at this minute, without changing it. */
export function verdict(rate: Rate, minute: number): { readonly verdict: Verdict; readonly surprise: number } {
  if (rate.weight < learning_weight) return { verdict: "learning", surprise: 0 };
  const quiet = minute - rate.minute;
  if (quiet > gone_minutes) return { verdict: "learning", surprise: 0 };
  if (quiet > 0) {
    const mean = Math.max(expected(rate), mean_min);
    const missing = ((quiet - 1) * mean) / spread(rate, mean);
    return { verdict: missing >= unlikely ? "silent" : "usual", surprise: missing };
  }
  const much = surprise(rate, rate.minute_lines);
  return { verdict: rate.minute_lines >= rate.burst_from ? "burst" : "usual", surprise: much };
}
