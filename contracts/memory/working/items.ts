/** Whatever working memory holds, in one form. */

import { z } from "zod";
import { WorkId, type WorkKind } from "./fields.ts";
import { GoalBody, GoalState, TaskBody, TaskState } from "./goals.ts";
import { IncidentBody, IncidentState } from "./incidents.ts";
import { PlanBody, PlanState, StepBody, StepState } from "./plans.ts";

const itemOf = <K extends WorkKind, S extends z.ZodType, B extends z.ZodType>(kind: K, state: S, body: B) =>
  z.strictObject({
    id: WorkId,
    kind: z.literal(kind),
    state,
    /** It came to an end. */
    ended: z.boolean(),
    /** Changes since it was made, from 1: whoever changes it says which version was seen. */
    version: z.int().min(1),
    /** What it is part of, and what all of that is part of (itself, when nothing): the lease is on that. */
    parent: WorkId.nullable(),
    root: WorkId,
    /** Wall clock. */
    created_ms: z.number(),
    changed_ms: z.number(),
    /** Who made it; who changed it last, and why. */
    made_by: z.string(),
    changed_by: z.string(),
    reason: z.string(),
    body,
  });

export const WorkItem = z.discriminatedUnion("kind", [
  itemOf("goal", GoalState, GoalBody),
  itemOf("task", TaskState, TaskBody),
  itemOf("plan", PlanState, PlanBody),
  itemOf("step", StepState, StepBody),
  itemOf("incident", IncidentState, IncidentBody),
]);
export type WorkItem = z.infer<typeof WorkItem>;

export type WorkState = WorkItem["state"];

/** What may be changed of each kind besides its state. */
export const work_patches = {
  goal: GoalBody.partial(),
  task: TaskBody.partial(),
  plan: PlanBody.partial(),
  step: StepBody.omit({ key: true, needs: true, attempts: true }).partial(),
  incident: IncidentBody.omit({ key: true, events: true, events_total: true, covers: true }).partial(),
} as const;
