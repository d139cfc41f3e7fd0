/** Rows from samples. */

import { type BenchRow, percentile } from "../../tooling/bench.ts";

export function rowOf(name: string, unit: string, samples: readonly number[]): BenchRow {
  const sorted = [...samples].sort((a, b) => a - b);
  return { name, unit, n: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** One figure that is not spread: a size, a rate. */
export function rowOfValue(name: string, unit: string, value: number): BenchRow {
  return { name, unit, n: 1, p50: value, p99: value, value };
}

/** `row`, beside what the same came to on something else. */
export function versus(row: BenchRow, name: string, other: BenchRow): BenchRow {
  const { n, p50, p99, value } = other;
  return { ...row, versus: { name, n, p50, p99, ...(value !== undefined && { value }) } };
}

/** Samples by name, in the order in which names came. */
export class Samples {
  readonly #found = new Map<string, number[]>();

  add(name: string, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const held = this.#found.get(name);
    if (held === undefined) this.#found.set(name, [value]);
    else held.push(value);
  }

  rows(unit: string): BenchRow[] {
    return [...this.#found].map(([name, samples]) => rowOf(name, unit, samples));
  }
}
