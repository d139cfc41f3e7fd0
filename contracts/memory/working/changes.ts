/** What a transaction on working memory consists of. */

import { z } from "zod";
import { json, WorkId, WorkKind } from "./fields.ts";
import { GoalBody, TaskBody } from "./goals.ts";
import { IncidentBody } from "./incidents.ts";
import { PlanBody, StepDraft, StepKey } from "./plans.ts";

/** An id, or `@name` of something made earlier in the same transaction with `as: "name"`. */
export const WorkRef = z.union([WorkId, z.string().regex(/^@[a-z0-9-]{1,20}$/)]);

const As = z
  .string()
  .regex(/^[a-z0-9-]{1,20}$/)
  .optional();

/** The version that was seen; null for what the same transaction has made. */
const Version = z.int().min(1).nullable();

const Patch = json(32 * 1024);

const steps_max = 64;

export const WorkChange = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("goal"), as: As, body: GoalBody.pick({ text: true, keep: true, check: true, taint: true }) }),
  z.strictObject({
    do: z.literal("task"),
    as: As,
    parent: WorkRef.nullable(),
    body: TaskBody.pick({ title: true, detail: true, tier: true, due_ms: true, taint: true }),
  }),
  /** A plan and its steps; which need which must not go in a circle. */
  z.strictObject({
    do: z.literal("plan"),
    as: As,
    parent: WorkRef.nullable(),
    body: PlanBody,
    steps: z.array(StepDraft).min(1).max(steps_max),
  }),
  /** More steps of a plan. */
  z.strictObject({ do: z.literal("steps"), plan: WorkRef, version: Version, steps: z.array(StepDraft).min(1).max(steps_max) }),
  /** An incident, or more of one that is open: events that it has already change nothing. */
  z.strictObject({
    do: z.literal("incident"),
    as: As,
    body: IncidentBody.pick({ key: true, summary: true, severity: true, service: true, events: true, taint: true, covers: true }),
  }),
  /** Another state, as the machine of its kind allows. */
  z.strictObject({ do: z.literal("move"), id: WorkRef, version: Version, to: z.string().max(20), patch: Patch.optional() }),
  z.strictObject({ do: z.literal("edit"), id: WorkRef, version: Version, patch: Patch }),
]);
export type WorkChange = z.infer<typeof WorkChange>;

export const WorkDone = z.lazy(() =>
  z.strictObject({
    id: WorkId,
    kind: WorkKind,
    state: z.string(),
    version: z.int(),
    /** An incident with this key was open already. */
    merged: z.boolean(),
    /** The steps that were made. */
    steps: z.array(z.strictObject({ key: StepKey, id: WorkId })),
  }),
);
export type WorkDone = z.infer<typeof WorkDone>;
