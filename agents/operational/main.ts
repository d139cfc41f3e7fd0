/** The operational tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import { goalChecksRound } from "../goals/checks.ts";
import { Library } from "../learning/library.ts";
import { decisions_looked_at } from "../loop/ports.ts";
import { triageRound } from "../loop/rounds.ts";
import type { Round } from "../loop/run.ts";
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
      const library = new Library({ ask: ports.ask, bundled: loaded, warn: (sentence) => ports.log.warn(sentence) });
      const thresholds = loadThresholds();
      const judge = operationalJudge({
        ask: ports.ask,
        thresholds,
        playbooks: () => library.usable(),
        decisions: () => ports.memory().call("decisions.list", { limit: decisions_looked_at }),
        model: new ModelSignal({ model, deadlines: thresholds.deadlines, all: () => library.usable().map(candidateOf) }),
      });
      return [readingRound(library), triageRound(ports, judge), goalChecksRound(ports)];
    },
  });
}

/** What was learned is judged too. Triage goes on with what it knows while that cannot be read. */
function readingRound(library: Library): Round {
  return { busy: 0, run: () => library.refresh(performance.now()).catch(() => {}) };
}
