/** Goals and tasks: what the system wants, and what is to be done for it. */

import { z } from "zod";
import { ToolName } from "../../tool.ts";
import { Taint, Tier } from "../record.ts";
import { json, WaitsFor } from "./fields.ts";

export const GoalState = z.enum(["new", "planning", "working", "kept", "drifted", "blocked", "paused", "done", "failed", "cancelled"]);

export const TaskState = z.enum(["open", "running", "waiting", "done", "failed", "cancelled"]);

/** The standing check of a goal: this call, so often, must answer with at least these members. */
export const Check = z.lazy(() =>
  z.strictObject({
    tool: ToolName,
    arguments: json(4096),
    every_ms: z.int().min(1000),
    expect: json(4096),
  }),
);

const Progress = z.number().min(0).max(1).nullable();

export const GoalBody = z.strictObject({
  text: z.string().min(1).max(2000),
  /** To be kept true from then on; otherwise reached once. */
  keep: z.boolean(),
  check: Check.nullable(),
  progress: Progress,
  waits_for: WaitsFor.nullable(),
  taint: Taint,
});

export const TaskBody = z.strictObject({
  title: z.string().min(1).max(500),
  detail: z.string().max(4000),
  /** Which tier is to do it, or null: any. */
  tier: Tier.nullable(),
  /** Wall clock. */
  due_ms: z.number().nullable(),
  waits_for: WaitsFor.nullable(),
  result: z.string().max(2000).nullable(),
  taint: Taint,
});
