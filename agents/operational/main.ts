/** The operational tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { runTier } from "../shared/tier.ts";

export async function main(): Promise<void> {
  await runTier({ name: "operational", run: run_dir, think_command: [aios_executable, "think"] });
}
