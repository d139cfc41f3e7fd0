/** What came of decisions about alarms, over all that memory holds (contracts/learning.ts). */

import { z } from "zod";
import { AlarmLearned, DryRun, RuleRecord, TrainingCase } from "../learning.ts";
import { method } from "../rpc.ts";

const Rule = z.string().min(1).max(200);

export const learning_methods = {
  /** By rule and tier, the one that was tried last first. */
  "learning.records": method(() => ({
    params: z.strictObject({ rules: z.array(Rule).min(1).max(200).nullable(), limit: z.int().min(1).max(500) }),
    result: z.array(RuleRecord),
  })),
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
} as const;

const all = Object.keys(learning_methods) as (keyof typeof learning_methods)[];

export const learning_permissions = { operational: all, tactical: all, strategic: all, broker: all } as const;
