/**
 * The chain behind one event, decision or incident: what happened, which incident that became and through which states it went, which
 * memories counted, what was decided by whom, what came of it and what was learned.
 */

import { z } from "zod";
import { Decision } from "./decision.ts";
import { Event, Severity } from "./event.ts";
import { MemoryId, MemoryKind, MemoryOutcome } from "./memory/record.ts";
import { IncidentState } from "./memory/working/incidents.ts";
import { CallId } from "./tool.ts";

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

export const Why = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    event: Event.nullable(),
    /** To which it belongs, newest first. */
    incidents: z.array(WhyIncident).max(4),
    /** What else was known and counted, for the incidents and for the decisions. */
    memories: z.array(WhyMemory).max(32),
    decisions: z.array(Decision),
    /** Events around the trigger, oldest first. */
    around: z.array(Event),
  }),
);
export type Why = z.infer<typeof Why>;
