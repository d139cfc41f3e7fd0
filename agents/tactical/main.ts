/** The tactical tier's process. */

import type { Decision } from "../../contracts/decision.ts";
import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { loadPatterns } from "../goals/known.ts";
import { bundled_patterns } from "../goals/patterns/index.ts";
import { Proposer } from "../goals/proposing.ts";
import { goalRound } from "../goals/round.ts";
import { openLibrary } from "../learning/library.ts";
import { learningRound } from "../learning/round.ts";
import type { Incident } from "../loop/incidents.ts";
import { playbookSource } from "../loop/options.ts";
import { orphanRound } from "../loop/orphans.ts";
import { incidentRound } from "../loop/rounds.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { runTier } from "../shared/tier.ts";
import { ModelSource } from "./model-source.ts";
import { ModelSplitter } from "./splitting.ts";

export async function main(): Promise<void> {
  await runTactical(run_dir, [aios_executable, "think"]);
}

export async function runTactical(run: string, think_command: readonly string[]): Promise<void> {
  await runTier({
    name: "tactical",
    run,
    think_command,
    rounds(ports, model) {
      const thresholds = loadThresholds();
      const library = openLibrary(ports);
      const learning = learningRound(ports, library);
      const known = playbookSource(
        () => library.usable(),
        (name) => library.confidence(name),
      );
      const guessed = new ModelSource({ ...ports, model, thresholds, name: () => model.health().facts.model });
      const splitter = new ModelSplitter({ ...ports, model, thresholds, name: () => model.health().facts.model });
      const patterns = loadPatterns(bundled_patterns);
      for (const sentence of patterns.refused) ports.log.error(sentence);
      const proposer = new Proposer({ ...ports, patterns: patterns.loaded, proposing: thresholds.proposing });
      const learned = async (_decision: Decision, incident: Incident): Promise<void> => {
        learning.wake();
        try {
          const said = await proposer.propose(incident);
          if (said !== null) ports.log.info(said);
        } catch (error) {
          ports.log.warn(`proposing a goal failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      };
      const incidents = incidentRound(ports, { tier: "tactical", sources: [known, guessed], learned });
      return [learning, orphanRound(ports), incidents, goalRound(ports, patterns.loaded, splitter)];
    },
  });
}
