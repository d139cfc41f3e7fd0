/** What memory can do, part by part. */

import type { BenchRow } from "../../../tooling/bench.ts";
import { benchOperational } from "./operational.ts";
import { benchWorking } from "./working.ts";

export async function benchMemory(): Promise<BenchRow[]> {
  return [...(await benchOperational()), ...(await benchWorking())];
}
