/** The operational tier's process. */

import { aios_executable, run_dir } from "../../contracts/paths.ts";
import type { Log } from "../../wire/log.ts";
import { goalChecksRound } from "../goals/checks.ts";
import { type Library, openLibrary } from "../learning/library.ts";
import { tries_looked_at } from "../loop/ports.ts";
import { triageRound } from "../loop/rounds.ts";
import type { Round } from "../loop/run.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { runTier } from "../shared/tier.ts";
import { ClassifierSignal } from "./classifier-signal.ts";
import { candidateOf, operationalJudge } from "./judge.ts";
import { ModelSignal } from "./model-signal.ts";
import type { Candidate } from "./signal.ts";
import { trainingRound } from "./training.ts";

export async function main(): Promise<void> {
  await runOperational(run_dir, [aios_executable, "think"]);
}

export async function runOperational(run: string, think_command: readonly string[]): Promise<void> {
  await runTier({
    name: "operational",
    run,
    think_command,
    rounds(ports, model) {
      const library = openLibrary(ports);
      const thresholds = loadThresholds();
      const name = (): string => model.health().facts.model;
      const all = (): Candidate[] => library.usable().map(candidateOf);
      const signal = new ModelSignal({ model, deadlines: thresholds.deadlines, all, name });
      const judge = operationalJudge({
        ask: ports.ask,
        thresholds,
        playbooks: () => library.usable(),
        tries: () => ports.memory().call("learning.tries", { limit: tries_looked_at }),
        model: signal,
        others: [new ClassifierSignal(ports.memory)],
      });
      const rounds = [readingRound(library, ports.log), triageRound(ports, judge), goalChecksRound(ports)];
      return [...rounds, trainingRound(ports), warmingRound(signal, name)];
    },
  });
}

/** A model that was just loaded reads what every question begins with. */
function warmingRound(signal: ModelSignal, name: () => string): Round {
  let warmed = "none";
  const run = async (): Promise<void> => {
    const loaded = name();
    if (loaded === warmed) return;
    warmed = loaded;
    if (loaded !== "none") void signal.warm();
  };
  return { busy: 0, run };
}

/** What was learned is judged too. Triage goes on with what it knows while that cannot be read. */
function readingRound(library: Library, log: Pick<Log, "warn">): Round {
  let said = "";
  const run = async (): Promise<void> => {
    try {
      await library.refresh(performance.now());
      said = "";
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== said) log.warn(`reading what was learned failed: ${text}; it is tried again`);
      said = text;
    }
  };
  return { busy: 0, run };
}
