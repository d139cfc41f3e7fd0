/** The tactical tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { loadPatterns } from "../goals/known.ts";
import { bundled_patterns } from "../goals/patterns/index.ts";
import { goalRound } from "../goals/round.ts";
import { openLibrary } from "../learning/library.ts";
import { learningRound } from "../learning/round.ts";
import { playbookSource } from "../loop/options.ts";
import { incidentRound } from "../loop/rounds.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { runTier } from "../shared/tier.ts";
import { ModelSource } from "./model-source.ts";

export async function main(): Promise<void> {
  await runTactical(run_dir, [aios_executable, "think"]);
}

export async function runTactical(run: string, think_command: readonly string[]): Promise<void> {
  await runTier({
    name: "tactical",
    run,
    think_command,
    rounds(ports, model) {
      const library = openLibrary(ports);
      const learning = learningRound(ports, library);
      const known = playbookSource(
        () => library.usable(),
        (name) => library.confidence(name),
      );
      const guessed = new ModelSource({ ...ports, model, thresholds: loadThresholds(), name: () => model.health().facts.model });
      const patterns = loadPatterns(bundled_patterns);
      for (const sentence of patterns.refused) ports.log.error(sentence);
      const incidents = incidentRound(ports, { tier: "tactical", sources: [known, guessed], learned: async () => learning.wake() });
      return [learning, incidents, goalRound(ports, patterns.loaded)];
    },
  });
}
