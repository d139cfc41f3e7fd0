/**
 * The reactive tier's latency, in a process with the runtime settings that PID 1 gives it; beside it json-rules-engine,
 * in a process with the settings that Bun has by itself. What the model port adds to a request, models of this machine, and the tiers
 * that think with them; what their chances are worth.
 */

import { z } from "zod";
import { benchReactive } from "../../agents/reactive/bench.ts";
import { default_config } from "../../init/defaults.ts";
import { coreSpecs } from "../../init/supervise/table.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { run } from "../../tooling/run.ts";
import { benchCalibration } from "./calibration.ts";
import { benchLocalModels } from "./local-model.ts";
import { benchModelPort } from "./model-port.ts";
import { versus } from "./rows.ts";
import { benchRuleEngine } from "./rule-engine.ts";
import { benchThinking } from "./thinking.ts";

const Rows = z.array(
  z.strictObject({ name: z.string(), unit: z.string(), n: z.number(), p50: z.number(), p99: z.number(), value: z.number() }),
);

export async function benchIntelligence(): Promise<BenchRow[]> {
  const env = coreSpecs(default_config, "container").find(({ name }) => name === "reactive")?.env;
  if (env === undefined) throw new Error('measuring the reactive tier failed: the table of services has no "reactive"');
  const rowsOf = async (which: string, settings: Readonly<Record<string, string>>): Promise<z.infer<typeof Rows>> =>
    Rows.parse(JSON.parse(await run([process.execPath, import.meta.path, which], { env: settings })));
  const ours = await rowsOf("reactive", env);
  const theirs = await rowsOf("json-rules-engine", {});
  const rules = ours.map((row, at) => {
    const other = theirs[at];
    return other === undefined ? row : versus(row, "json-rules-engine 7.3", other);
  });
  return [...rules, ...(await benchModelPort()), ...(await benchLocalModels()), ...(await benchThinking()), ...(await benchCalibration())];
}

if (import.meta.main) process.stdout.write(JSON.stringify(process.argv[2] === "reactive" ? benchReactive() : await benchRuleEngine()));
