/** What the tools answer that tell what is going on: memory.recent, memory.templates, memory.incidents. */

import { z } from "zod";
import { Count, Distribution, RecentEvent, RecentSummary } from "./operational.ts";
import { TemplateDetail, TemplateSummary, UnusualTemplate } from "./templates.ts";
import { WorkItem } from "./working/items.ts";
import { Lease } from "./working/leases.ts";
import { working_methods } from "./working.ts";

/** Which shares of the samples are told as percentiles. */
export const told_at = [0.5, 0.9, 0.99] as const;

export const RecentAnswer = z.lazy(() =>
  z.strictObject({
    summary: RecentSummary.describe(
      "events, decisions and figures of the window at a glance; its `metrics` and `distributions` name what can be `measured`",
    ),
    events: z.array(RecentEvent).describe("the newest that fit, oldest first; whole with memory.recall"),
    counted: z.array(Count).nullable().describe("how often the kind `count` came, in every window"),
    measured: Distribution.nullable().describe(`of the figure that was asked for, the values at ${told_at.join(", ")} of its samples`),
  }),
);
export type RecentAnswer = z.infer<typeof RecentAnswer>;

export const TemplatesAnswer = z.lazy(() =>
  z.strictObject({
    templates: z.array(TemplateSummary),
    total: z.int().describe("as many fit"),
    unusual: z.array(UnusualTemplate).describe("most surprising first"),
    one: TemplateDetail.nullable().describe("the one that was asked for: rate, sources, hours, examples, what followed it"),
  }),
);
export type TemplatesAnswer = z.infer<typeof TemplatesAnswer>;

export const IncidentsAnswer = z.lazy(() =>
  z.strictObject({
    incidents: z.array(WorkItem).describe("newest first"),
    more: z.boolean().describe("there are older ones"),
    one: z
      .strictObject({
        incident: WorkItem,
        parts: z.array(WorkItem).describe("tasks, plans and steps of it"),
        lease: Lease.nullable().describe("who works on it now"),
        history: working_methods["work.history"].result.describe("what became of it, newest first: who, why, from which state to which"),
      })
      .nullable(),
  }),
);
export type IncidentsAnswer = z.infer<typeof IncidentsAnswer>;
