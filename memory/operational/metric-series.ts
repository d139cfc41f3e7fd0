/** One figure over the last hour, as it was measured: few enough samples that percentiles are exact. 11.5 kB each. */

import type { Window } from "../../contracts/memory/operational.ts";
import type { Percentiles } from "./sliding-sketch.ts";
import { window_ms } from "./windows.ts";

/** An hour at one every five seconds; reactive sends one every ten. */
export const points_max = 720;

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
    const found: Point[] = [];
    for (let at = this.#taken - 1; at >= Math.max(0, this.#taken - points_max); at -= 1) {
      const point = this.#point(at);
      if (point.boot_ms < from_ms) break;
      found.push(point);
    }
    return found.reverse();
  }

  percentiles(window: Window, fractions: readonly number[], now_ms: number): Percentiles {
    const points = this.since(now_ms - window_ms[window]);
    const oldest_ms = this.#taken > points_max ? this.#point(this.#taken - points_max).boot_ms : 0;
    const covers_ms = Math.min(window_ms[window], now_ms - oldest_ms);
    if (points.length === 0) return { n: 0, mean: 0, values: fractions.map(() => 0), covers_ms };
    const sorted = Float64Array.from(points, ({ value }) => value).sort();
    const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
    return { n: points.length, mean, values: fractions.map((fraction) => nearestRank(sorted, fraction)), covers_ms };
  }

  #point(at: number): Point {
    return { boot_ms: this.#times[at % points_max] ?? 0, value: this.#values[at % points_max] ?? 0 };
  }
}

function nearestRank(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1))] ?? 0;
}
