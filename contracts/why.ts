/**
 * The chain behind one event, decision or incident: what happened, which incident that became and through which states it went, which
 * memories counted, what was decided by whom, what came of it and what was learned. Behind a goal, a plan or a step: what was wanted by
 * whom, how it went, and which incidents and decisions served it.
 */

import { z } from "zod";
import { Decision } from "./decision.ts";
import { Event, Severity } from "./event.ts";
import { MemoryId, MemoryKind, MemoryOutcome } from "./memory/record.ts";
import { Check, GoalState } from "./memory/working/goals.ts";
import { IncidentState } from "./memory/working/incidents.ts";
import { PlanState, StepKey, StepState } from "./memory/working/plans.ts";
import { CallId, ToolName } from "./tool.ts";

/** Of the words of one memory. */
export const why_chars_max = 400;

/** A memory in words, cut; all of it is `memory.recall`. */
export const WhyMemory = z.lazy(() =>
  z.strictObject({
    id: MemoryId,
    kind: MemoryKind,
    time_ms: z.number(),
    outcome: MemoryOutcome.nullable(),
    text: z.string().max(why_chars_max),
    /** Parts of it were written by somebody outside. */
    from_outside: z.boolean(),
  }),
);
export type WhyMemory = z.infer<typeof WhyMemory>;

export const WhyIncident = z.lazy(() =>
  z.strictObject({
    id: MemoryId,
    summary: z.string(),
    severity: Severity,
    state: IncidentState,
    /** Every state that it went through and why, oldest first; the first ones are left out where there were more. */
    steps: z.array(z.strictObject({ time_ms: z.number(), who: z.string(), to: z.string(), why: z.string() })).max(64),
    calls: z.array(CallId),
    spent: z.strictObject({ calls: z.int(), tokens: z.int(), model_ms: z.number() }),
    /** What was learned of it. */
    lesson: WhyMemory.nullable(),
  }),
);
export type WhyIncident = z.infer<typeof WhyIncident>;

/** One step of a plan, in short. */
const WhyStep = z.strictObject({
  id: MemoryId,
  key: StepKey,
  title: z.string(),
  state: StepState,
  tool: ToolName.nullable(),
  calls: z.array(CallId),
  /** What came of it, cut. */
  result: z.string().max(why_chars_max).nullable(),
});

export const WhyGoal = z.lazy(() =>
  z.strictObject({
    id: MemoryId,
    text: z.string(),
    state: GoalState,
    /** To be kept true from then on. */
    keep: z.boolean(),
    made_by: z.string(),
    /** Parts of it were written by somebody outside. */
    from_outside: z.boolean(),
    waits_for: z.string().nullable(),
    check: Check.nullable(),
    /** Every change of it and why, oldest first; the first ones are left out where there were more. */
    moves: z.array(z.strictObject({ time_ms: z.number(), who: z.string(), to: z.string(), why: z.string() })).max(64),
    /** Newest first. */
    plans: z
      .array(
        z.strictObject({
          id: MemoryId,
          state: PlanState,
          purpose: z.string(),
          /** Why it is in that state. */
          why: z.string(),
          steps: z.array(WhyStep).max(64),
        }),
      )
      .max(4),
  }),
);
export type WhyGoal = z.infer<typeof WhyGoal>;

export const Why = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    /** The goal that was asked about, itself or by a plan or step of it; then there is no event. */
    goal: WhyGoal.nullable(),
    event: Event.nullable(),
    /** To which it belongs, newest first; of a goal, those about its services while it was pursued. */
    incidents: z.array(WhyIncident).max(4),
    /** What else was known and counted, for the incidents and for the decisions. */
    memories: z.array(WhyMemory).max(32),
    decisions: z.array(Decision),
    /** Events around the trigger, oldest first. */
    around: z.array(Event),
  }),
);
export type Why = z.infer<typeof Why>;
