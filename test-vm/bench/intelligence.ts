/** The reactive tier's latency, in a process with the runtime settings that PID 1 gives it. */

import { z } from "zod";
import { benchReactive } from "../../agents/reactive/bench.ts";
import { default_config } from "../../init/defaults.ts";
import { coreSpecs } from "../../init/supervise/table.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { run } from "../../tooling/run.ts";

const Rows = z.array(
  z.strictObject({ name: z.string(), unit: z.string(), n: z.number(), p50: z.number(), p99: z.number(), value: z.number() }),
);

export async function benchIntelligence(): Promise<BenchRow[]> {
  const env = coreSpecs(default_config, "container").find(({ name }) => name === "reactive")?.env;
  if (env === undefined) throw new Error('measuring the reactive tier failed: the table of services has no "reactive"');
  return Rows.parse(JSON.parse(await run([process.execPath, import.meta.path], { env })));
}

if (import.meta.main) process.stdout.write(JSON.stringify(benchReactive()));
