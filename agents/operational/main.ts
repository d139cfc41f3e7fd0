/** The operational tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { triageRound } from "../loop/rounds.ts";
import { runTier } from "../shared/tier.ts";

export async function main(): Promise<void> {
  await runOperational(run_dir, [aios_executable, "think"]);
}

export async function runOperational(run: string, think_command: readonly string[]): Promise<void> {
  await runTier({ name: "operational", run, think_command, rounds: (ports) => [triageRound(ports)] });
}
