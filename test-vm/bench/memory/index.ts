/** What memory can do, part by part. */

import type { BenchRow } from "../../../tooling/bench.ts";
import { benchEmbed } from "./embed.ts";
import { benchIngest } from "./ingest.ts";
import { benchOperational } from "./operational.ts";
import { benchQuality } from "./quality.ts";
import { benchSearch } from "./search.ts";
import { benchTemplates } from "./templates.ts";
import { benchUpkeep } from "./upkeep.ts";
import { benchWorking } from "./working.ts";

const parts: readonly (() => Promise<BenchRow[]>)[] = [
  benchOperational,
  benchEmbed,
  benchWorking,
  benchTemplates,
  benchIngest,
  benchSearch,
  benchQuality,
  benchUpkeep,
];

export async function benchMemory(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const part of parts) rows.push(...(await part()));
  return rows;
}
