/** The operational tier's process. */

import { run_dir } from "../../contracts/paths.ts";
import { runTier } from "../shared/tier.ts";

export async function main(): Promise<void> {
  await runTier({ name: "operational", run: run_dir, lacks: "no model loaded" });
}
