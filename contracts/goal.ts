/** Goals, as tools answer them and as aiOS knows them by form. */

import { z } from "zod";
import { Check } from "./memory/working/goals.ts";
import { WorkItem } from "./memory/working/items.ts";
import { Lease } from "./memory/working/leases.ts";
import { StepDraft } from "./memory/working/plans.ts";
import { working_methods } from "./memory/working.ts";

export const GoalsAnswer = z.lazy(() =>
  z.strictObject({
    goals: z.array(WorkItem).describe("newest first"),
    more: z.boolean().describe("there are older ones"),
  }),
);
export type GoalsAnswer = z.infer<typeof GoalsAnswer>;

export const GoalAnswer = z.lazy(() =>
  z.strictObject({
    goal: WorkItem,
    plan: WorkItem.nullable().describe("the newest"),
    steps: z.array(WorkItem).describe("of that plan"),
    lease: Lease.nullable().describe("who works on it now"),
    history: working_methods["work.history"].result.describe("what became of it, newest first: who, why, from which state to which"),
  }),
);
export type GoalAnswer = z.infer<typeof GoalAnswer>;

export const GoalChanged = z.lazy(() => z.strictObject({ goal: WorkItem }));

/**
 * A form of goals whose plan is known (`agents/goals/patterns/`): `{name}` stands for what the group of that name found, and a value
 * that is nothing but `{name|number}` becomes a number.
 */
export const GoalPattern = z.lazy(() =>
  z.strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
    does: z.string().max(300),
    /** A regular expression that fits the whole text, with single blanks and in whatever case. */
    text: z.string().max(300),
    keep: z.boolean(),
    steps: z
      .array(StepDraft.pick({ key: true, title: true, tool: true, arguments: true, needs: true }))
      .min(1)
      .max(16),
    check: Check,
    /** Words that it has to fit, and others that it must not; looked at when it is loaded. */
    examples: z.strictObject({ fits: z.array(z.string()).min(1), does_not: z.array(z.string()).min(1) }),
  }),
);
export type GoalPattern = z.infer<typeof GoalPattern>;
