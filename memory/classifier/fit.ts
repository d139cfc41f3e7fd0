/**
 * Logistic regression with a ridge: the weights that make what came likeliest, drawn to zero, so that few cases change little. The
 * first weight, of what is always 1, is not drawn. Fitted by accelerated gradient descent (Nesterov 1983) with the step that the
 * curvature allows, which is bounded; no line search, no draws: the same cases give the same weights.
 */

export interface Row {
  readonly features: Float32Array;
  readonly worked: boolean;
}

/** Strength of the ridge, a case: as if each weight had so many cases against it. */
const ridge_cases = 0.5;
const steps_max = 400;
/** A step that moves no weight by more is the last. */
const enough = 1e-5;

export function chanceOf(weights: Float32Array, features: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at += 1) sum += (weights[at] ?? 0) * (features[at] ?? 0);
  return 1 / (1 + Math.exp(-sum));
}

/** @param rows at least one, all of the same length */
export function fit(rows: readonly Row[]): Float32Array {
  const length = rows[0]?.features.length ?? 0;
  const ridge = ridge_cases / rows.length;
  const squares = rows.map(({ features }) => features.reduce((sum, one) => sum + one * one, 0));
  // the second derivative of the loss of one case is at most a quarter of its features' square
  const step = 1 / (Math.max(...squares) / 4 + ridge);
  let weights = new Float32Array(length);
  let ahead = weights;
  let momentum = 1;
  for (let steps = 0; steps < steps_max; steps += 1) {
    const slope = gradient(rows, ahead, ridge);
    const next = ahead.map((weight, at) => weight - step * (slope[at] ?? 0));
    const following = (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
    const carried = (momentum - 1) / following;
    const before = weights;
    ahead = next.map((weight, at) => weight + carried * (weight - (before[at] ?? 0)));
    weights = next;
    momentum = following;
    if (weights.every((weight, at) => Math.abs(weight - (before[at] ?? 0)) < enough)) break;
  }
  return weights;
}

/** Of the mean loss and the ridge. */
function gradient(rows: readonly Row[], weights: Float32Array, ridge: number): Float32Array {
  const slope = weights.map((weight, at) => (at === 0 ? 0 : ridge * weight));
  for (const { features, worked } of rows) {
    const error = (chanceOf(weights, features) - (worked ? 1 : 0)) / rows.length;
    for (let at = 0; at < slope.length; at += 1) slope[at] = (slope[at] ?? 0) + error * (features[at] ?? 0);
  }
  return slope;
}
