/** One figure over the last hour, as it was measured: few enough samples that percentiles are exact. 11.5 kB each. */

import type { Window } from "../../contracts/memory/operational.ts";
import type { Percentiles } from "./sliding-sketch.ts";
import { window_ms } from "./windows.ts";

/** An hour at one every five seconds; reactive sends one every ten. */
const points_max = 720;

export interface Point {
  readonly boot_ms: number;
  readonly value: number;
}

export class MetricSeries {
  readonly #times = new Float64Array(points_max);
  readonly #values = new Float64Array(points_max);
  #taken = 0;

  get newest(): Point | null {
    return this.#taken === 0 ? null : this.#point(this.#taken - 1);
  }

  /** One that is not later than the newest is passed over: it was told twice. */
  add(value: number, boot_ms: number): void {
    const newest = this.newest;
    if (newest !== null && boot_ms <= newest.boot_ms) return;
    this.#times[this.#taken % points_max] = boot_ms;
    this.#values[this.#taken % points_max] = value;
    this.#taken += 1;
  }

  /** Oldest first. */
  since(from_ms: number): Point[] {
    const first = this.#firstSince(from_ms);
    return Array.from({ length: this.#taken - first }, (_, n) => this.#point(first + n));
  }

  percentiles(window: Window, fractions: readonly number[], now_ms: number): Percentiles {
    const first = this.#firstSince(now_ms - window_ms[window]);
    const oldest_ms = this.#taken > points_max ? this.#point(this.#taken - points_max).boot_ms : 0;
    const covers_ms = Math.min(window_ms[window], now_ms - oldest_ms);
    const n = this.#taken - first;
    if (n === 0) return { n, mean: 0, values: fractions.map(() => 0), covers_ms };
    const sorted = this.#copyFrom(first).sort();
    let sum = 0;
    for (let at = 0; at < n; at += 1) sum += sorted[at] ?? 0;
    return { n, mean: sum / n, values: fractions.map((fraction) => nearestRank(sorted, fraction)), covers_ms };
  }

  /** Times only grow: the first that is not too old is found by halving. */
  #firstSince(from_ms: number): number {
    let low = Math.max(0, this.#taken - points_max);
    let high = this.#taken;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle % points_max] ?? 0) < from_ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** In two pieces where the ring begins anew in between. */
  #copyFrom(first: number): Float64Array<ArrayBuffer> {
    const n = this.#taken - first;
    const copy = new Float64Array(n);
    const at = first % points_max;
    const before_end = Math.min(n, points_max - at);
    copy.set(this.#values.subarray(at, at + before_end));
    copy.set(this.#values.subarray(0, n - before_end), before_end);
    return copy;
  }

  #point(at: number): Point {
    return { boot_ms: this.#times[at % points_max] ?? 0, value: this.#values[at % points_max] ?? 0 };
  }
}

function nearestRank(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1))] ?? 0;
}
