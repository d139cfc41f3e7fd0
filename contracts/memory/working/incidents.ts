/** Incidents: what is wrong, what was made of it and done about it. */

import { z } from "zod";
import { Signals } from "../../decision.ts";
import { Severity } from "../../event.ts";
import { CallId } from "../../tool.ts";
import { MemoryId, Taint, Tier } from "../record.ts";
import { WaitsFor } from "./fields.ts";

export const IncidentState = z.enum([
  "observing",
  "orienting",
  "deciding",
  "waiting",
  "acting",
  "watching",
  "learning",
  "solved",
  "handed-over",
  "parked",
]);

const Chance = z.number().min(0).max(1);

/** What the operational tier makes of an incident before anybody acts. */
export const Triage = z.lazy(() =>
  z.strictObject({
    /** Which part of the system it is about: `disk`, `network`. */
    kind: z.string().max(40),
    /** Something like it was met before. */
    known: z.boolean(),
    /** What may be done, the likeliest to help first: rules of decisions, `playbook disk-full`. */
    options: z
      .array(
        z.strictObject({
          rule: z.string().max(100),
          /** The chance that it helps. */
          confidence: Chance,
          /** Fitted to what came of earlier decisions, and somebody has said something of this very rule. */
          calibrated: z.boolean().default(false),
          /** What that is made of, by who said it: `neighbours`, `model`. Not calibrated. */
          signals: Signals,
        }),
      )
      .max(16),
    /** In a clause: what was asked, and what could not be. */
    said: z.string().max(500),
    took_ms: z.number().min(0),
  }),
);
export type Triage = z.infer<typeof Triage>;

/** Other alarms that belong to an incident while it is worked on: they have no incident of their own for so long. */
export const Covers = z.lazy(() =>
  z.strictObject({
    /** Raised between these, by the boot clock; */
    from_ms: z.number(),
    until_ms: z.number(),
    /** of this subject, or of this alarm; null: whichever. */
    subject: z.string().max(200).nullable(),
    alarm: z.string().max(40).nullable(),
    /** From then on they are looked at for themselves, by the boot clock. */
    hold_until_ms: z.number(),
    /** How many there were when it was opened, itself included. */
    alarms: z.int().min(1),
  }),
);
export type Covers = z.infer<typeof Covers>;

export const IncidentBody = z.strictObject({
  /** What it is about: while an incident with this key is open, more of the same is added to it. */
  key: z.string().min(1).max(200),
  summary: z.string().min(1).max(1000),
  severity: Severity,
  service: z.string().max(100).nullable(),
  /** The newest events that belong to it, and how many there were in all. */
  events: z.array(MemoryId).max(32),
  events_total: z.int(),
  /** What the deciding was based on, what was decided, and which calls were made. */
  memories: z.array(MemoryId).max(32),
  decisions: z.array(MemoryId).max(32),
  calls: z.array(CallId).max(32),
  /** Who works on it, and how often it was passed up. */
  tier: Tier.nullable(),
  escalations: z.int().min(0),
  /** Why nobody above could be asked when it was passed up: offline, a budget, a provider that is away. */
  unasked: z.string().min(1).max(300).optional(),
  /** What it has cost so far. */
  spent: z.strictObject({ calls: z.int(), tokens: z.int(), model_ms: z.number() }),
  /** Measured health before anything was done: afterwards it must not be worse. */
  health_before: z.record(z.string().max(64), z.number()).nullable(),
  waits_for: WaitsFor.nullable(),
  /** What was learned of it. */
  lesson: MemoryId.nullable(),
  taint: Taint,
  triage: Triage.optional(),
  covers: Covers.optional(),
});
