/**
 * What was learned: which playbook is how far (a stage), why, and how often it has helped. A document `playbooks/…` of the
 * knowledge base holds it in two fenced blocks, `yaml playbook` and `yaml learning` (docs/LEARNING.md); one about a playbook of
 * the image has the second alone.
 */

import { z } from "zod";
import { DecisionId, Outcome, Overridden, Signals } from "./decision.ts";
import { Severity } from "./event.ts";
import { ClassifierState } from "./memory/classifier.ts";
import { Taint, Tier } from "./memory/record.ts";
import { PlaybookName } from "./playbook.ts";

export const Stage = z.enum([
  /** The tactical tier tries it. */
  "playbook",
  /** As before; and the reactive tier notes what it would have done, asking the broker for a dry run. */
  "trial",
  /** The reactive tier does it when the alarm is raised. */
  "rule",
  /** It stopped working: kept, and not tried. */
  "retired",
]);
export type Stage = z.infer<typeof Stage>;

export const StageChange = z.lazy(() => z.strictObject({ time_ms: z.number(), from: Stage, to: Stage, why: z.string().min(1).max(300) }));
export type StageChange = z.infer<typeof StageChange>;

export const Learning = z.lazy(() =>
  z.strictObject({
    playbook: PlaybookName,
    stage: Stage,
    /** The decision that it was made of, by which tier; null: it was not made of one. */
    learned_from: DecisionId.nullable().default(null),
    learned_by: Tier.nullable().default(null),
    /** Tries of the decisions that it was made of, under another name. */
    carried: z.strictObject({ tries: z.int().min(0), worked: z.int().min(0) }).default({ tries: 0, worked: 0 }),
    /** What its subjects are called is text from outside: it never becomes a rule. */
    tainted_subject: z.boolean().default(false),
    /** Its calls hold parameters, words of the tools' own schemas, yes or no, and nothing else: no word of outside can stand in them. */
    ours: z.boolean().default(false),
    /** Tries that spoke against it when it came to this stage: one more, and it goes back. Null: those before the document count not. */
    against: z.int().min(0).nullable().default(null),
    /** Newest last. */
    history: z.array(StageChange).max(20).default([]),
  }),
);
export type Learning = z.infer<typeof Learning>;

/** How often a rule was tried by a tier and what came of it, over all that memory holds. */
export const RuleRecord = z.lazy(() =>
  z.strictObject({
    /** What the decisions name: `playbook disk-full`, `trial disk-full`. */
    rule: z.string(),
    tier: Tier,
    worked: z.int(),
    failed: z.int(),
    /** Of those that failed: a person took them back. */
    overridden: z.int(),
    /** Nobody was allowed to make its calls. */
    refused: z.int(),
    /** That helped since the rule last failed, whoever tried it; a try that a person took back failed when the person did so. */
    worked_since_failure: z.int(),
    first_ms: z.number(),
    last_ms: z.number(),
    last_failed_ms: z.number().nullable(),
  }),
);
export type RuleRecord = z.infer<typeof RuleRecord>;

/** A dry run: what the reactive tier would have done about an alarm, and what the tier above then did. */
export const DryRun = z.lazy(() =>
  z.strictObject({
    decision: DecisionId,
    time_ms: z.number(),
    /** The broker would have made the calls. */
    allowed: z.boolean(),
    /** What solved it: the rule of the decision that helped; null: nothing (yet). */
    solved_by: z.string().nullable(),
  }),
);
export type DryRun = z.infer<typeof DryRun>;

/** How an alarm was solved once. */
export const Solved = z.lazy(() =>
  z.strictObject({
    decision: DecisionId,
    rule: z.string(),
    tier: Tier,
    time_ms: z.number(),
    /** Milliseconds from the alarm to the outcome. */
    repair_ms: z.number(),
    /** What deciding cost, of all decisions about it. */
    asked_ms: z.number(),
    tokens: z.int(),
    usd: z.number(),
    /** Decisions about it. */
    tries: z.int(),
  }),
);
export type Solved = z.infer<typeof Solved>;

export const AlarmLearned = z.lazy(() =>
  z.strictObject({
    alarm: z.string(),
    /** How often something was done about it, and how often that helped. */
    seen: z.int(),
    solved: z.int(),
    first: Solved.nullable(),
    last: Solved.nullable(),
  }),
);
export type AlarmLearned = z.infer<typeof AlarmLearned>;

/** A try that came to an end, as far as chances are counted by it. */
export const Try = z.lazy(() =>
  z.strictObject({
    time_ms: z.number(),
    alarm: z.string(),
    subject: z.string(),
    tier: Tier,
    rule: z.string(),
    confidence: z.number().nullable(),
    signals: Signals.nullable(),
    helped: z.boolean(),
  }),
);
export type Try = z.infer<typeof Try>;

/** One decision about an alarm as an example to learn from. */
export const TrainingCase = z.lazy(() =>
  z.strictObject({
    decision: DecisionId,
    time_ms: z.number(),
    alarm: z.string(),
    subject: z.string(),
    /** In words, as the sensors told it. */
    detail: z.string(),
    severity: Severity,
    /** Where text from outside in it came from. */
    taint: Taint,
    tier: Tier,
    rule: z.string(),
    tools: z.array(z.string()),
    /** `refused`: by a person alone. */
    result: Outcome.shape.result.extract(["done", "failed", "overridden", "refused"]),
    overridden: Outcome.shape.overridden.unwrap().nullable(),
    repair_ms: z.number().nullable(),
    tokens: z.int(),
    usd: z.number(),
  }),
);
export type TrainingCase = z.infer<typeof TrainingCase>;

/** A person's word against a decision about an alarm. */
export const Override = z.lazy(() =>
  Overridden.extend({ decision: DecisionId, rule: z.string(), tier: Tier, alarm: z.string(), subject: z.string() }),
);
export type Override = z.infer<typeof Override>;

/** A playbook as `aiosctl learn` shows it. */
export const PlaybookLearned = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    stage: Stage,
    /** The document that says so; null: it is as it is in the image, or there is none any more. */
    document: z.string().nullable(),
    learned_from: DecisionId.nullable(),
    learned_by: Tier.nullable(),
    tainted_subject: z.boolean(),
    worked: z.int(),
    failed: z.int(),
    overridden: z.int(),
    refused: z.int(),
    worked_since_failure: z.int(),
    /** The chance that it helps lies between, but for 5 % on each side. */
    low: z.number(),
    high: z.number(),
    last_ms: z.number().nullable(),
    /** The tier that tried it last. */
    last_tier: Tier.nullable(),
    history: z.array(StageChange),
  }),
);
export type PlaybookLearned = z.infer<typeof PlaybookLearned>;

/** What the tool memory.learned answers. */
export const LearnedAnswer = z.lazy(() =>
  z.strictObject({
    alarms: z
      .array(AlarmLearned)
      .describe("by name: how often something was done about it, and how it was solved the first and the last time"),
    playbooks: z
      .array(PlaybookLearned)
      .describe("those that were tried or learned: stage, record, and every change of stage with its reason"),
    overrides: z.array(Override).describe("what people took back or declined of what was decided, newest first: which, who, when, why"),
    classifier: ClassifierState.describe("of triage: which version is in use, how each did on held-back cases, and every change"),
    faults: z.array(z.string()).describe("documents that cannot be read and therefore do not count"),
  }),
);
export type LearnedAnswer = z.infer<typeof LearnedAnswer>;
