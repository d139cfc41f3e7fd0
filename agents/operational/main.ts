/** The operational tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { decisions_looked_at } from "../loop/ports.ts";
import { triageRound } from "../loop/rounds.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { runTier } from "../shared/tier.ts";
import { candidateOf, operationalJudge } from "./judge.ts";
import { ModelSignal } from "./model-signal.ts";

export async function main(): Promise<void> {
  await runOperational(run_dir, [aios_executable, "think"]);
}

export async function runOperational(run: string, think_command: readonly string[]): Promise<void> {
  await runTier({
    name: "operational",
    run,
    think_command,
    rounds(ports, model) {
      const { loaded, refused } = loadPlaybooks(bundled_playbooks);
      for (const sentence of refused) ports.log.error(sentence);
      const thresholds = loadThresholds();
      const judge = operationalJudge({
        ask: ports.ask,
        thresholds,
        playbooks: () => loaded,
        decisions: () => ports.memory().call("decisions.list", { limit: decisions_looked_at }),
        model: new ModelSignal({ model, deadlines: thresholds.deadlines, all: () => loaded.map(candidateOf) }),
      });
      return [triageRound(ports, judge)];
    },
  });
}
