/**
 * Whether a series of measurements grows without end. The slope is Theil's and Sen's: the median of the slopes between all pairs of
 * points, which a few outliers do not move (Sen 1968). It is a leak when the series also rises more often than chance allows (Mann 1945,
 * one-sided, 1 of 1000) over the second half of what was measured, when caches are warm, and by more than an amount that matters.
 */

export interface Point {
  readonly at_s: number;
  readonly value: number;
}

export interface Growth {
  readonly points: number;
  readonly first: number;
  readonly last: number;
  /** Of the second half. */
  readonly per_hour: number;
  /** Mann's and Kendall's Z of the second half. */
  readonly z: number;
  readonly leaks: boolean;
}

/** One-sided, 1 of 1000. */
const z_max = 3.09;
/** Fewer say nothing. */
const points_min = 20;
/** Pairs grow with the square. */
const points_max = 400;

/** @param matters growth per hour up to which nobody would call it a leak, in the unit of the series */
export function growthOf(series: readonly Point[], matters: number): Growth {
  const half = thinned(series.slice(Math.floor(series.length / 2)));
  const per_hour = half.length < 2 ? 0 : slope(half) * 3600;
  const z = half.length < points_min ? 0 : trend(half);
  const base = { points: series.length, first: series[0]?.value ?? 0, last: series.at(-1)?.value ?? 0 };
  return { ...base, per_hour, z, leaks: z > z_max && per_hour > matters };
}

function thinned(series: readonly Point[]): readonly Point[] {
  const each = Math.ceil(series.length / points_max);
  return series.filter((_, at) => at % each === 0);
}

function slope(series: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [at, one] of series.entries())
    for (const other of series.slice(at + 1)) if (other.at_s > one.at_s) slopes.push((other.value - one.value) / (other.at_s - one.at_s));
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? 0;
}

/** Values that are alike count as neither, and make the spread smaller. */
function trend(series: readonly Point[]): number {
  const n = series.length;
  let sum = 0;
  for (const [at, one] of series.entries()) for (const other of series.slice(at + 1)) sum += Math.sign(other.value - one.value);
  const counts = new Map<number, number>();
  for (const { value } of series) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ties = [...counts.values()].reduce((all, t) => all + t * (t - 1) * (2 * t + 5), 0);
  const spread = Math.sqrt((n * (n - 1) * (2 * n + 5) - ties) / 18);
  return spread === 0 ? 0 : (sum - Math.sign(sum)) / spread;
}
