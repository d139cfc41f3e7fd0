/** What memory can do, part by part. */

import type { BenchRow } from "../../../tooling/bench.ts";
import { step } from "../../../tooling/progress.ts";
import { benchEmbed } from "./embed.ts";
import { benchIngest } from "./ingest.ts";
import { benchOperational } from "./operational.ts";
import { benchQuality } from "./quality.ts";
import { benchSearch } from "./search.ts";
import { benchTemplates } from "./templates.ts";
import { benchUpkeep } from "./upkeep.ts";
import { benchWorking } from "./working.ts";

const parts: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  "the last hour": benchOperational,
  embedding: benchEmbed,
  "working memory": benchWorking,
  "templates of logs": benchTemplates,
  ingest: benchIngest,
  search: benchSearch,
  "retrieval quality": benchQuality,
  upkeep: benchUpkeep,
};

export async function benchMemory(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, part] of Object.entries(parts)) rows.push(...(await step(`memory: ${name}`, part)));
  return rows;
}
