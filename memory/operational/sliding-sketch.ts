/**
 * Percentiles of a value over the last hour, in bounded memory: a DDSketch (Masson, Rim, Lee 2019) for each window. Values
 * fall into buckets whose bounds grow by γ = (1 + α) / (1 − α); a bucket's middle is off by at most the share α of the
 * value, for 0.001 ≤ |value| ≤ 10^12 (smaller counts as 0, larger as 10^12). What leaves a window is taken out of its
 * buckets again: a ring keeps the bucket of each sample. The buckets of a window are a Fenwick tree, so that adding,
 * taking out and a percentile are each a dozen steps, however many samples there are.
 */

import type { Window } from "../../contracts/memory/operational.ts";
import { window_ms, window_names } from "./windows.ts";

/** α: the largest relative error of a percentile. */
export const error_ratio = 0.01;
const log_gamma = Math.log((1 + error_ratio) / (1 - error_ratio));
const value_min = 1e-3;
const value_max = 1e12;
const buckets_each_sign = Math.ceil(Math.log(value_max / value_min) / log_gamma) + 1;
/** A power of two above both signs and zero. */
const tree_size = 4096;
/** Counts are kept in 16 bits. */
const samples_limit = 65_535;

export interface Percentiles {
  readonly n: number;
  readonly mean: number;
  readonly values: readonly number[];
  /** How far back the samples reach: less than the window when there were more than could be held. */
  readonly covers_ms: number;
}

export class SlidingSketch {
  readonly #times: Float64Array;
  readonly #buckets: Uint16Array;
  readonly #windows = window_names.map((name) => ({ name, tree: new Uint16Array(tree_size + 1), first: 0, sum: 0 }));
  /** Samples ever taken; sample `i` is at `i % samples_max`. */
  #taken = 0;
  #newest_ms = 0;

  constructor(readonly samples_max: number) {
    if (samples_max > samples_limit) throw new Error(`making a sketch failed: ${samples_max} samples is more than ${samples_limit}`);
    this.#times = new Float64Array(samples_max);
    this.#buckets = new Uint16Array(samples_max);
  }

  /** A sample that comes late counts as of the newest before it. */
  add(value: number, boot_ms: number): void {
    this.#newest_ms = Math.max(this.#newest_ms, boot_ms);
    this.#expire(this.#newest_ms);
    const bucket = bucketOf(value);
    const at = this.#taken % this.samples_max;
    const full = this.#taken - this.samples_max;
    if (full >= 0) for (const window of this.#windows) if (window.first === full) this.#take_out(window);
    this.#times[at] = this.#newest_ms;
    this.#buckets[at] = bucket;
    this.#taken += 1;
    const middle = middleOf(bucket);
    for (const window of this.#windows) {
      change(window.tree, bucket, 1);
      window.sum += middle;
    }
  }

  /** @param fractions of the samples that are at most the answer: 0.5 is the median. Nearest rank. */
  percentiles(name: Window, fractions: readonly number[], now_ms: number): Percentiles {
    this.#expire(now_ms);
    const window = this.#windows[window_names.indexOf(name)];
    const n = window === undefined ? 0 : this.#taken - window.first;
    const covers_ms = this.#covered_ms(name, now_ms);
    if (window === undefined || n === 0) return { n: 0, mean: 0, values: fractions.map(() => 0), covers_ms };
    const values = fractions.map((fraction) => middleOf(atRank(window.tree, Math.max(1, Math.ceil(fraction * n)))));
    return { n, mean: window.sum / n, values, covers_ms };
  }

  #covered_ms(name: Window, now_ms: number): number {
    const oldest = this.#taken - this.samples_max;
    const whole_ms = Math.min(window_ms[name], now_ms);
    if (oldest <= 0) return whole_ms;
    return Math.min(whole_ms, now_ms - (this.#times[oldest % this.samples_max] ?? 0));
  }

  #expire(now_ms: number): void {
    for (const window of this.#windows) {
      const from_ms = now_ms - window_ms[window.name];
      while (window.first < this.#taken && (this.#times[window.first % this.samples_max] ?? 0) < from_ms) this.#take_out(window);
    }
  }

  #take_out(window: { tree: Uint16Array; first: number; sum: number }): void {
    const bucket = this.#buckets[window.first % this.samples_max] ?? 0;
    change(window.tree, bucket, -1);
    window.first += 1;
    window.sum = window.first === this.#taken ? 0 : window.sum - middleOf(bucket);
  }
}

function bucketOf(value: number): number {
  const size = Math.abs(value);
  if (!(size >= value_min)) return buckets_each_sign;
  const steps = Math.ceil(Math.log(Math.min(size, value_max) / value_min) / log_gamma);
  return value > 0 ? buckets_each_sign + 1 + steps : buckets_each_sign - 1 - steps;
}

function middleOf(bucket: number): number {
  const steps = Math.abs(bucket - buckets_each_sign) - 1;
  if (steps < 0) return 0;
  const middle = (value_min * Math.exp(steps * log_gamma) * 2) / (Math.exp(log_gamma) + 1);
  return bucket > buckets_each_sign ? middle : -middle;
}

/** Buckets count from 0, places in the tree from 1. */
function change(tree: Uint16Array, bucket: number, by: number): void {
  for (let at = bucket + 1; at <= tree_size; at += at & -at) tree[at] = (tree[at] ?? 0) + by;
}

/** @returns the bucket of the sample that is `rank`-th from below */
function atRank(tree: Uint16Array, rank: number): number {
  let at = 0;
  let left = rank;
  for (let step = tree_size; step > 0; step >>= 1) {
    const next = at + step;
    const count = next <= tree_size ? (tree[next] ?? 0) : Number.POSITIVE_INFINITY;
    if (count >= left) continue;
    at = next;
    left -= count;
  }
  return at;
}
