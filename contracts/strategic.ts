/** What the strategic tier's models are asked for at the end: by schema, and checked against the tools before anything of it counts. */

import { z } from "zod";
import { StepKey } from "./memory/working/plans.ts";

const Clause = z.string().min(1).max(600);
/** Their shape is the tool's own: held against its schema where the answer comes in. */
const Arguments = z.record(z.string().max(64), z.unknown());
const Name = z.string().max(64).describe("a tool's name: service.restart");

const Call = z.lazy(() =>
  z.strictObject({
    tool: Name,
    arguments: Arguments.describe("by the tool's input schema"),
    may_fail: z.boolean().default(false).describe("when it fails the next calls are made all the same"),
  }),
);

/** About an incident. */
export const IncidentAnswer = z.lazy(() =>
  z.strictObject({
    root_cause: Clause.describe("what caused it and by which evidence; or what is not known"),
    options: z
      .array(
        z.strictObject({
          does: Clause.max(300).describe("what it does, in a clause"),
          calls: z.array(Call).min(1).max(8),
          watch_ms: z.int().min(1000).max(3_600_000).describe("milliseconds after the last call within which the alarm has to be cleared"),
          confidence: z.number().min(0).max(1).describe("the chance that it clears the alarm and makes nothing worse"),
        }),
      )
      .max(3)
      .describe("what to do, the best first; none when nothing safe is likely to help"),
    why_none: z.string().max(600).default("").describe("without options: why, and what a person should do"),
  }),
);
export type IncidentAnswer = z.infer<typeof IncidentAnswer>;

/** About a goal. */
export const PlanAnswer = z.lazy(() =>
  z.strictObject({
    purpose: Clause.describe("how the goal is reached, in a sentence"),
    steps: z
      .array(
        z.strictObject({
          key: StepKey.describe("a short name: define-service"),
          title: z.string().min(1).max(300),
          tool: Name,
          arguments: Arguments.describe("by the tool's input schema"),
          needs: z.array(StepKey).max(16).default([]).describe("keys of steps that have to be done before"),
        }),
      )
      .max(16)
      .describe("in order; none when the goal cannot be reached"),
    keep: z.boolean().describe("whether it is to be kept true from then on; otherwise it is reached once"),
    check: z
      .strictObject({
        tool: Name,
        arguments: Arguments,
        expect: Arguments.describe("members that the answer has to hold, with these very values, while the goal is true"),
        every_ms: z.int().min(1000).max(3_600_000),
      })
      .nullable()
      .describe("the standing check: a read-only tool whose answer shows that the goal is true; needed when it is to be kept"),
    why_none: z.string().max(600).default("").describe("without steps: what is missing, and what a person should do"),
  }),
);
export type PlanAnswer = z.infer<typeof PlanAnswer>;

/** About a call that waits for a person. */
export const ReviewAnswer = z.lazy(() =>
  z.strictObject({
    verdict: z.enum(["approve", "reject", "unsure"]),
    reason: Clause.describe("the evidence that speaks for the verdict, for the person who decides"),
  }),
);
export type ReviewAnswer = z.infer<typeof ReviewAnswer>;

const schemaOf = (schema: z.ZodType): z.core.JSONSchema.BaseSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
};

/** As the models are shown them. */
export const incident_answer_schema = schemaOf(IncidentAnswer);
export const plan_answer_schema = schemaOf(PlanAnswer);
export const review_answer_schema = schemaOf(ReviewAnswer);
