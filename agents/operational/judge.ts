/**
 * Triage of an incident: what it is, whether it is known, and how likely each playbook that fits is to help. Earlier cases and the
 * model each say a chance; what these are worth is learned from the decisions that they led to (agents/router/calibrate.ts). With
 * too few outcomes the earlier cases alone are heard, by the rule of succession.
 */

import type { Try } from "../../contracts/learning.ts";
import type { Triage } from "../../contracts/memory/working/incidents.ts";
import type { Playbook } from "../../contracts/playbook.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { ruleOf } from "../loop/track-record.ts";
import type { Judge, Judged } from "../loop/triage.ts";
import { fitting } from "../playbooks/playbooks.ts";
import { type Calibration, calibrated, fitCalibration } from "../router/calibrate.ts";
import type { AskTool } from "../shared/ask-tool.ts";
import { kindOf } from "./kinds.ts";
import type { ModelSignal } from "./model-signal.ts";
import { areSure, type Found, isKnown, votesFor } from "./neighbours.ts";
import type { Candidate, SignalSource, Weighed } from "./signal.ts";

const options_max = 16;
const said_chars_max = 500;
const unknown_kind = "unknown";
const refit_usually_ms = 30_000;
/** The newest samples: what a signal is worth changes, and one that came later was not heard before (make bench AREA=intelligence). */
const fitted_to_max = 300;

interface JudgeOptions {
  readonly ask: AskTool;
  readonly thresholds: Thresholds;
  readonly playbooks: () => readonly Playbook[];
  readonly tries: () => Promise<readonly Try[]>;
  /** Null: this tier has no model port. */
  readonly model: ModelSignal | null;
  /** Who is asked besides the earlier cases and the model. */
  readonly others?: readonly SignalSource[];
  /** Tries are looked through anew after so long: outcomes come slowly. */
  readonly refit_every_ms?: number;
}

export function candidateOf({ name, does }: Playbook): Candidate {
  return { rule: ruleOf(name), name, does };
}

export function operationalJudge(options: JudgeOptions): Judge {
  const { ask, thresholds, playbooks, model } = options;
  const calibration = refitting(options);
  const sources: readonly SignalSource[] = [...(model === null ? [] : [model]), ...(options.others ?? [])];
  return {
    async judge(event, summary): Promise<Judged> {
      const begin_ms = performance.now();
      const { found, said: remembered } = await remember(ask, summary, thresholds.neighbours.looked_at);
      const { alarm, subject } = event.facts;
      const candidates = fitting(playbooks(), alarm, subject).map(({ playbook }) => candidateOf(playbook));
      const rules = candidates.map(({ rule }) => rule);
      const votes = votesFor(rules, found, event.facts, thresholds.neighbours);
      const asked = areSure(votes.values(), thresholds.neighbours) ? sources.filter((source) => source !== model) : sources;
      const heard = await Promise.all(asked.map(async (source) => ({ who: source.who, ...(await source.weigh(event, candidates)) })));
      const fitted = await calibration();
      const options = rules.map((rule) => {
        const { chance: neighbours, cases } = votes.get(rule) ?? { chance: 0.5, cases: 0 };
        const others = signalsOf(rule, heard);
        const signals = { neighbours, ...others };
        // where nobody says anything of this rule it is the base rate of all, and its own record tells more
        const is_heard = cases > 0 || Object.keys(others).length > 0;
        const confidence = fitted === null ? neighbours : calibrated(fitted, signals);
        return { rule, signals, confidence, calibrated: fitted !== null && is_heard };
      });
      const cases = [...votes.values()].reduce((sum, one) => sum + one.cases, 0);
      const worth = fitted === null ? "not calibrated yet" : `calibrated on ${fitted.outcomes} outcomes`;
      const triage: Triage = {
        kind: kindOf(alarm) ?? (await model?.kindOf(event)) ?? unknown_kind,
        known: isKnown(found, event.facts, thresholds.neighbours),
        options: options.sort((a, b) => b.confidence - a.confidence).slice(0, options_max),
        said: [`${cases} earlier cases${remembered}`, ...heard.map(({ who, said }) => `${who}: ${said}`), worth]
          .join("; ")
          .slice(0, said_chars_max),
        took_ms: performance.now() - begin_ms,
      };
      return { triage, memories: found.map(({ memory }) => memory.id), tokens: heard.reduce((sum, one) => sum + one.tokens, 0) };
    },
  };
}

function signalsOf(rule: string, heard: readonly (Weighed & { readonly who: string })[]): Record<string, number> {
  return Object.fromEntries(
    heard.flatMap(({ who, chances }) => {
      const chance = chances.get(rule);
      return chance === undefined ? [] : [[who, chance]];
    }),
  );
}

/** Earlier incidents of the kind, what was learned of them. An incident is worked on also when memory cannot search. */
async function remember(ask: AskTool, summary: string, limit: number): Promise<{ found: readonly Found[]; said: string }> {
  try {
    const why = "what is known of an incident like this";
    const { found } = await ask("memory.search", { query: summary.slice(0, 500), kinds: ["lesson", "decision"], limit }, why);
    return { found, said: "" };
  } catch (error) {
    return { found: [], said: ` (${error instanceof Error ? error.message : String(error)})`.slice(0, 200) };
  }
}

/** What the signals are worth, from tries of decisions that held them. */
function refitting({ tries, thresholds, refit_every_ms = refit_usually_ms }: JudgeOptions): () => Promise<Calibration | null> {
  let fitted: Calibration | null = null;
  let fitted_ms = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - fitted_ms < refit_every_ms) return fitted;
    fitted = fitCalibration(samplesOf(await tries()).slice(-fitted_to_max), thresholds);
    fitted_ms = performance.now();
    return fitted;
  };
}

export function samplesOf(tries: readonly Try[]) {
  return tries.flatMap(({ signals, helped }) => (signals?.["neighbours"] === undefined ? [] : [{ signals, worked: helped }]));
}
