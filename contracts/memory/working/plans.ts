/** Plans and their steps. */

import { z } from "zod";
import { CallId, ToolName } from "../../tool.ts";
import { Taint } from "../record.ts";
import { json, WaitsFor } from "./fields.ts";

export const PlanState = z.enum(["draft", "active", "held", "done", "failed", "replaced", "cancelled"]);

export const StepState = z.enum(["pending", "running", "waiting", "done", "failed", "skipped", "undone"]);

export const PlanBody = z.strictObject({
  purpose: z.string().min(1).max(1000),
  /** The playbook that it replays, or null. */
  playbook: z.string().max(200).nullable(),
  taint: Taint,
});

/** A step's name within its plan. */
export const StepKey = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "a step's key is up to 40 of a-z 0-9 -");

export const StepBody = z.strictObject({
  key: StepKey,
  title: z.string().min(1).max(500),
  /** The call to make, or null: something else than a call. */
  tool: ToolName.nullable(),
  arguments: json(8192),
  /** Steps that have to be done (or skipped) before. */
  needs: z.array(StepKey).max(32),
  /** How often it was begun, and how often it may be. */
  attempts: z.int().min(0),
  attempts_max: z.int().min(1).max(10),
  /** Calls that were made for it. */
  calls: z.array(CallId).max(16),
  waits_for: WaitsFor.nullable(),
  result: z.string().max(2000).nullable(),
  taint: Taint,
});

export const StepDraft = StepBody.pick({
  key: true,
  title: true,
  tool: true,
  arguments: true,
  needs: true,
  attempts_max: true,
  taint: true,
});
export type StepDraft = z.infer<typeof StepDraft>;
