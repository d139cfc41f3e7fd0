/** What came of decisions about alarms, over all that memory holds (contracts/learning.ts). */

import { z } from "zod";
import { DecisionId, Overridden } from "../decision.ts";
import { EventId } from "../event.ts";
import { AlarmLearned, DryRun, Override, RuleRecord, TrainingCase, Try } from "../learning.ts";
import { method } from "../rpc.ts";

const Rule = z.string().min(1).max(200);

/** A word against a call of a decision, or that what was taken back is made anew: then that word counts no more. */
export const PersonSaid = z.lazy(() =>
  z.discriminatedUnion("say", [
    Overridden.extend({ say: z.literal("override"), decision: DecisionId }),
    z.strictObject({ say: z.literal("anew"), call: EventId }),
  ]),
);
export type PersonSaid = z.infer<typeof PersonSaid>;

export const learning_methods = {
  /** By rule and tier, the one that was tried last first. */
  "learning.records": method(() => ({
    params: z.strictObject({ rules: z.array(Rule).min(1).max(200).nullable(), limit: z.int().min(1).max(500) }),
    result: z.array(RuleRecord),
  })),
  /** The newest that came to an end, oldest first; fewer where more would not fit into an answer. */
  "learning.tries": method(() => ({ params: z.strictObject({ limit: z.int().min(1).max(1000) }), result: z.array(Try) })),
  /** Of one rule `trial …`, newest first. */
  "learning.dry_runs": method(() => ({
    params: z.strictObject({ rule: Rule, limit: z.int().min(1).max(100) }),
    result: z.array(DryRun),
  })),
  /** By name. */
  "learning.alarms": method(() => ({ params: z.strictObject({ limit: z.int().min(1).max(100) }), result: z.array(AlarmLearned) })),
  /** What was done about alarms, oldest first. @param after the last decision of the page before; null: from the beginning */
  "learning.cases": method(() => ({
    params: z.strictObject({ after: z.string().max(100).nullable(), limit: z.int().min(1).max(200) }),
    result: z.strictObject({ cases: z.array(TrainingCase), more: z.boolean() }),
  })),
  /** What people took back or declined, newest first. @param decisions null: of all */
  "learning.overrides": method(() => ({
    params: z.strictObject({ decisions: z.array(DecisionId).min(1).max(500).nullable(), limit: z.int().min(1).max(500) }),
    result: z.array(Override),
  })),
  /** In the order in which people said so; told again it is the same. The answer: how many decisions are held and concerned. */
  "learning.override": method(() => ({
    params: z.strictObject({ said: z.array(PersonSaid).min(1).max(100) }),
    result: z.strictObject({ decisions: z.int() }),
  })),
} as const;

type Method = keyof typeof learning_methods;
const all = Object.keys(learning_methods) as Method[];
/** What people said is known from the audit. */
const looks = all.filter((name) => name !== "learning.override");

export const learning_permissions = { operational: looks, tactical: looks, strategic: looks, broker: all } as const;
