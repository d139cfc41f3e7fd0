/** What memory can do, part by part. */

import type { BenchRow } from "../../../tooling/bench.ts";
import { benchEmbed } from "./embed.ts";
import { benchOperational } from "./operational.ts";
import { benchWorking } from "./working.ts";

export async function benchMemory(): Promise<BenchRow[]> {
  return [...(await benchOperational()), ...(await benchEmbed()), ...(await benchWorking())];
}
