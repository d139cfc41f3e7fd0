/**
 * What signals are worth, by the system's own outcomes: the chance that something helps is a logistic regression over the log odds
 * that each signal gives, with a weight for each and one bias (Platt 1999, for more than one signal). Normal priors draw the
 * weights to what is thought of them beforehand, so that few outcomes change little. Fitted by Newton's method.
 */

import type { Signals } from "../../contracts/decision.ts";
import type { Thresholds } from "../../contracts/router.ts";

export interface Sample {
  readonly signals: Signals;
  readonly worked: boolean;
}

export interface Calibration {
  /** Outcomes that it rests on. */
  readonly outcomes: number;
  readonly bias: number;
  readonly weights: Readonly<Record<string, number>>;
}

const steps_max = 25;
const halvings_max = 30;
const enough = 1e-8;
/** No signal counts as certain. */
const least = 0.005;

export function calibrated({ bias, weights }: Calibration, signals: Signals): number {
  const sum = Object.entries(weights).reduce((all, [name, weight]) => all + weight * logOdds(signals[name] ?? 0.5), bias);
  return 1 / (1 + Math.exp(-sum));
}

/** @returns null with too few outcomes to say anything */
export function fitCalibration(samples: readonly Sample[], { calibration }: Thresholds): Calibration | null {
  if (samples.length < calibration.outcomes_min) return null;
  const names = Object.keys(calibration.weights);
  const prior = [0, ...names.map((name) => calibration.weights[name] ?? 0)];
  const precision = prior.map((_, at) => 1 / (at === 0 ? calibration.bias_deviation : calibration.weight_deviation) ** 2);
  const rows = samples.map(({ signals, worked }) => ({
    x: [1, ...names.map((name) => logOdds(signals[name] ?? 0.5))],
    y: worked ? 1 : 0,
  }));
  const fitted = newton(rows, prior, precision);
  return {
    outcomes: samples.length,
    bias: fitted[0] ?? 0,
    weights: Object.fromEntries(names.map((name, at) => [name, fitted[at + 1] ?? 0])),
  };
}

function logOdds(chance: number): number {
  const bounded = Math.min(1 - least, Math.max(least, chance));
  return Math.log(bounded / (1 - bounded));
}

interface Row {
  readonly x: readonly number[];
  readonly y: number;
}

/** The most likely weights given rows and priors: there is one, for the sum is concave. A step that would not get nearer is halved. */
function newton(rows: readonly Row[], prior: readonly number[], precision: readonly number[]): number[] {
  let weights = [...prior];
  let likely = logPosterior(rows, prior, precision, weights);
  for (let step = 0; step < steps_max; step += 1) {
    const { gradient, curvature } = derivatives(rows, prior, precision, weights);
    let change = solved(curvature, gradient);
    for (let halved = 0; halved < halvings_max; halved += 1) {
      const next = weights.map((weight, at) => weight + (change[at] ?? 0));
      const gained = logPosterior(rows, prior, precision, next) - likely;
      if (gained >= 0) {
        weights = next;
        likely += gained;
        break;
      }
      change = change.map((one) => one / 2);
    }
    if (change.every((one) => Math.abs(one) < enough)) break;
  }
  return weights;
}

function derivatives(rows: readonly Row[], prior: readonly number[], precision: readonly number[], weights: readonly number[]) {
  const gradient = weights.map((weight, at) => ((prior[at] ?? 0) - weight) * (precision[at] ?? 0));
  const curvature = weights.map((_, at) => weights.map((__, other) => (at === other ? (precision[at] ?? 0) : 0)));
  for (const { x, y } of rows) {
    const chance = 1 / (1 + Math.exp(-dot(x, weights)));
    for (const [at, value] of x.entries()) {
      gradient[at] = (gradient[at] ?? 0) + value * (y - chance);
      const line = curvature[at] ?? [];
      for (const [other, second] of x.entries()) line[other] = (line[other] ?? 0) + value * second * chance * (1 - chance);
    }
  }
  return { gradient, curvature };
}

function logPosterior(rows: readonly Row[], prior: readonly number[], precision: readonly number[], weights: readonly number[]): number {
  const drawn = weights.reduce((sum, weight, at) => sum - ((weight - (prior[at] ?? 0)) ** 2 * (precision[at] ?? 0)) / 2, 0);
  // log(1 + e^-m) without overflow; m: how far the row is on its own side
  return rows.reduce((sum, { x, y }) => {
    const margin = dot(x, weights) * (y === 1 ? 1 : -1);
    return sum - (Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin))));
  }, drawn);
}

function dot(x: readonly number[], weights: readonly number[]): number {
  return x.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0);
}

/** Gauss elimination of a positive definite system. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const lines = matrix.map((line, at) => [...line, right[at] ?? 0]);
  const size = right.length;
  for (let at = 0; at < size; at += 1) {
    const pivot = lines[at] ?? [];
    for (const [other, line] of lines.entries()) {
      if (other === at) continue;
      const factor = (line[at] ?? 0) / (pivot[at] ?? 1);
      for (let column = at; column <= size; column += 1) line[column] = (line[column] ?? 0) - factor * (pivot[column] ?? 0);
    }
  }
  return lines.map((line, at) => (line[size] ?? 0) / (line[at] ?? 1));
}
