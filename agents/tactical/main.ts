/** The tactical tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { playbookSource } from "../loop/options.ts";
import { incidentRound } from "../loop/rounds.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import { runTier } from "../shared/tier.ts";

export async function main(): Promise<void> {
  await runTactical(run_dir, [aios_executable, "think"]);
}

export async function runTactical(run: string, think_command: readonly string[]): Promise<void> {
  await runTier({
    name: "tactical",
    run,
    think_command,
    rounds(ports) {
      const { loaded, refused } = loadPlaybooks(bundled_playbooks);
      for (const sentence of refused) ports.log.error(sentence);
      return [incidentRound(ports, { tier: "tactical", sources: [playbookSource(() => loaded)] })];
    },
  });
}
