/** Rows of benchmark results, and where they are written: `build/bench/<area>.json`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface BenchRow {
  readonly name: string;
  /** Of p50, p99 and value: `us`, `ms`, `bytes`, `1/s`. */
  readonly unit: string;
  /** Samples. */
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  /** Where one figure says it: a size, a rate, p99.9. */
  readonly value?: number;
  /** The same measured in the same run on what a user would have otherwise. */
  readonly versus?: { readonly name: string; readonly n: number; readonly p50: number; readonly p99: number; readonly value?: number };
}

/** Nearest-rank percentile. @param sorted ascending, not empty @param fraction 0 to 1 */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1));
  const value = sorted[at];
  if (value === undefined) throw new Error("taking a percentile failed: there are no samples");
  return value;
}

/** @returns the file that was written */
export function writeBench(area: string, rows: readonly BenchRow[], folder = join(import.meta.dir, "..", "build", "bench")): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${area}.json`);
  writeFileSync(path, `${JSON.stringify(rows, null, 2)}\n`);
  return path;
}
