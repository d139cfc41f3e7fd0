/**
 * How far a playbook is, by what came of it. Pure: the record goes in, the next stage comes out, or null.
 *
 *   playbook ─▶ trial ─▶ rule        up: enough successes since the last failure, the bound, calls that can be taken back;
 *      ▲ │        │        │         then dry runs that each agree with what solved it
 *      │ └──▶ retired      │         retired: a learned one that most likely helps less often than not; only a person brings it back
 *      └──────────┴────────┘         down: one try against it (it failed, or the reactive tier was not allowed it)
 */

import type { DryRun, RuleRecord, Stage } from "../../contracts/learning.ts";
import type { Risk } from "../../contracts/tool.ts";
import { lowerBound, successesFor, upperBound } from "../../wire/binomial.ts";
import { ruleOf } from "../loop/track-record.ts";
import { carriedBy, type Known } from "./library.ts";

/** It is tried by a rule when it helps at least so often, but for a doubt of 5 %: 14 successes and no failure. */
export const proven_min = 0.8;
/** The last so many dry runs have to agree. */
export const dry_runs_min = 5;
/** A learned one that helps at most so often, but for a doubt of 5 %, is not tried any more: 5 failures and no success. */
export const useless_max = 0.5;
/** What came of the incident is known by then, milliseconds after the time that the playbook gives. */
const settled_after_ms = 120_000;

export interface Evidence {
  /** Of its rule, by tier. */
  readonly records: readonly RuleRecord[];
  /** Newest first. */
  readonly dry_runs: readonly DryRun[];
  /** Of the tools that it calls; null: the broker does not know it. */
  readonly risks: ReadonlyMap<string, Risk | null>;
  readonly now_ms: number;
}

export interface Tally {
  readonly worked: number;
  readonly failed: number;
  /** Of those that failed: a person took them back. */
  readonly overridden: number;
  readonly worked_since_failure: number;
  /** Tries that speak against it as a rule. */
  readonly against: number;
  /** The chance that it helps is from here to there, but for 5 % on each side. */
  readonly low: number;
  readonly high: number;
}

export interface Step {
  readonly to: Stage;
  /** In a sentence, for the record. */
  readonly why: string;
}

export function trialOf(playbook: string): string {
  return `trial ${playbook}`;
}

export function tallyOf(records: readonly RuleRecord[]): Tally {
  const sum = (of: (one: RuleRecord) => number): number => records.reduce((all, one) => all + of(one), 0);
  const worked = sum((one) => one.worked);
  const failed = sum((one) => one.failed);
  return {
    ...{ worked, failed, overridden: sum((one) => one.overridden), worked_since_failure: sum((one) => one.worked_since_failure) },
    against: failed + sum(({ tier, refused }) => (tier === "reactive" ? refused : 0)),
    low: lowerBound(worked, worked + failed),
    high: upperBound(worked, worked + failed),
  };
}

export function nextStage(known: Known, evidence: Evidence): Step | null {
  const { stage } = known.learning;
  const tally = tallyOf(evidence.records);
  const unfit = unfitFor(known, evidence.risks);
  if (stage === "playbook") return fromPlaybook(known, tally, unfit);
  if (stage === "retired") return null;
  if (isAgainst(known, tally, evidence.records))
    return { to: "playbook", why: `it did not help, or was not allowed, as a ${stage}: ${figures(tally)}` };
  if (unfit !== null) return { to: "playbook", why: unfit };
  return stage === "trial" ? fromTrial(known, tally, evidence) : null;
}

/** Something spoke against it since it came to its stage. */
function isAgainst({ learning, document }: Known, tally: Tally, records: readonly RuleRecord[]): boolean {
  if (learning.against !== null) return tally.against > learning.against;
  return records.some(({ last_failed_ms }) => last_failed_ms !== null && last_failed_ms > (document?.time_ms ?? 0));
}

function fromPlaybook(known: Known, tally: Tally, unfit: string | null): Step | null {
  const { bundled } = known;
  const carried = carriedBy(known);
  const tries = tally.worked + tally.failed + carried.tries;
  const most = upperBound(tally.worked + carried.worked, tries);
  if (!bundled && most < useless_max) return { to: "retired", why: `it most likely helps less often than not: ${figures(tally)}` };
  if (unfit !== null || tally.worked_since_failure < successesFor(proven_min) || tally.low < proven_min) return null;
  return { to: "trial", why: `it is proven: ${figures(tally)}` };
}

/** By the dry runs of this trial: what was allowed in an earlier one may have been what took it back. */
function fromTrial({ playbook, learning }: Known, tally: Tally, { dry_runs, now_ms }: Evidence): Step | null {
  const known_ms = now_ms - playbook.watch_ms - settled_after_ms;
  const began_ms = learning.history.at(-1)?.time_ms ?? 0;
  const of_this = dry_runs.filter(({ time_ms }) => time_ms >= began_ms);
  const settled = of_this.filter(({ solved_by, time_ms }) => solved_by !== null || time_ms < known_ms).slice(0, dry_runs_min);
  const agree = settled.filter(({ allowed, solved_by }) => allowed && solved_by === ruleOf(playbook.name));
  if (agree.length < dry_runs_min) return null;
  return { to: "rule", why: `the last ${dry_runs_min} dry runs would have done what helped: ${figures(tally)}` };
}

/** Why a rule may never do what it does, or null. */
function unfitFor({ playbook, learning }: Known, risks: ReadonlyMap<string, Risk | null>): string | null {
  if (learning.tainted_subject) return "what its subjects are called is text from outside";
  for (const { tool } of playbook.steps) {
    const risk = risks.get(tool) ?? null;
    if (risk === null || risk === "irreversible") return `${tool} cannot be taken back`;
  }
  return null;
}

function figures({ worked, failed, overridden, worked_since_failure, low, high }: Tally): string {
  const taken_back = overridden === 0 ? "" : ` (a person took back ${overridden})`;
  const ratio = `helped ${worked} of ${worked + failed} times${taken_back}, the last ${worked_since_failure} in a row`;
  return `${ratio}; its chance is from ${low.toFixed(2)} to ${high.toFixed(2)}, but for 5 % on each side`;
}
