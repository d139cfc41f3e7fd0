/** The strategic tier's process. */

import { run_dir } from "../../contracts/paths.ts";
import { runTier } from "../shared/tier.ts";

export async function main(): Promise<void> {
  await runTier({ name: "strategic", run: run_dir, lacks: "no API key; no model configured" });
}
