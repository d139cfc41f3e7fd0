/** A decision: what was done about an event, by which rule, why, and what came of it. */

import { z } from "zod";
import { Event, EventId } from "./event.ts";
import { JsonPointer } from "./json-pointer.ts";
import { ToolName } from "./tool-name.ts";

/** `<boot>-d-<tier>-<sequence>` */
export const DecisionId = z.string().regex(/^[0-9a-f]{8}-d-[a-z]{1,20}-[0-9]{1,15}$/);

export const Action = z.discriminatedUnion("do", [
  /** Record it and nothing else. */
  z.strictObject({ do: z.literal("log") }),
  z.strictObject({ do: z.literal("restart"), service: z.string() }),
  /** Drop clean page cache, dentries and inodes (proc(5), /proc/sys/vm/drop_caches). */
  z.strictObject({ do: z.literal("reclaim-caches") }),
  /** Calls of tools, one after the other. */
  z.strictObject({
    do: z.literal("call"),
    calls: z
      .array(
        z.strictObject({
          tool: ToolName,
          arguments: z.record(z.string().max(64), z.json()),
          /** When it fails the next calls are made all the same. */
          may_fail: z.boolean().optional(),
          /** Arguments that derive from text of outside. */
          tainted: z.array(JsonPointer).max(64).optional(),
        }),
      )
      .min(1)
      .max(16),
    /** Milliseconds after the last call within which it has to help. */
    watch_ms: z.int().min(0).max(3_600_000).optional(),
  }),
]);
export type Action = z.infer<typeof Action>;

const Result = z.enum(["pending", "done", "refused", "failed", "suppressed", "overridden"]);

/** A person's word against a call of a decision (memory/learning/overrides.ts). */
export const Overridden = z.strictObject({
  /** The call was taken back after it was made, or it waited for a person who did not want it. */
  how: z.enum(["undone", "declined"]),
  by: z.string().regex(/^person:[a-z][a-z0-9._-]{0,39}$/),
  why: z.string().max(2000),
  /** Wall clock, milliseconds since 1970. */
  time_ms: z.number(),
  /** `<boot>-call-<number>`, and its tool. */
  call: EventId,
  tool: ToolName,
});
export type Overridden = z.infer<typeof Overridden>;

export const Outcome = z.strictObject({
  /** `overridden`: it had ended, and a person took a call of it back. */
  result: Result,
  detail: z.string(),
  /** Milliseconds from the decision until the outcome was known. */
  after_ms: z.number().nullable(),
  /** The newest word of a person against it, and what it had come to without that. */
  overridden: Overridden.extend({ was: Result.exclude(["pending", "overridden"]) }).optional(),
});

export type Outcome = z.infer<typeof Outcome>;

/** What a try counts as. Null: neither way; it is under way, nobody was allowed to make it, it was only noted. */
export function hasHelped({ result }: Pick<Outcome, "result">): boolean | null {
  if (result === "done") return true;
  return result === "failed" || result === "overridden" ? false : null;
}

/** Somebody who was asked what to do: the playbooks, a model. What it said, and what that cost. */
export const Asked = z.lazy(() =>
  z.strictObject({
    who: z.string().max(100),
    said: z.string().max(500),
    took_ms: z.number(),
    tokens: z.int(),
    usd: z.number(),
  }),
);
export type Asked = z.infer<typeof Asked>;

const Chance = z.number().min(0).max(1);

/** The chance that something helps, by who said it: `neighbours`, `model`. As they said it, so that it can be seen what their word is worth. */
export const Signals = z.record(z.string().max(40), Chance).refine((given) => Object.keys(given).length <= 8, "at most 8 signals");
export type Signals = z.infer<typeof Signals>;

export const Decision = z.lazy(() =>
  z.strictObject({
    id: DecisionId,
    time_ms: z.number(),
    boot_ms: z.number(),
    tier: z.enum(["reactive", "operational", "tactical", "strategic"]),
    trigger: Event,
    rule: z.string(),
    /**
     * The memories that it was based on besides its trigger: earlier events that counted, earlier decisions in the same matter,
     * what was recalled. Ids of memories (memory/record.ts).
     */
    based_on: z.array(EventId).max(64).default([]),
    /** Who was asked, the cheapest first. */
    asked: z.array(Asked).max(8).optional(),
    /** The chance that it helps, as it was judged beforehand. */
    confidence: Chance.optional(),
    /** What it was made of, before it was calibrated. */
    signals: Signals.optional(),
    /** What might have been done instead, and the chance of that. */
    alternatives: z
      .array(z.strictObject({ what: z.string().max(200), confidence: Chance }))
      .max(8)
      .optional(),
    /** Why, in words, with the values that decided. */
    reason: z.string(),
    action: Action,
    /** Microseconds from taking the event to choosing the action. */
    took_us: z.number(),
    outcome: Outcome,
  }),
);
export type Decision = z.infer<typeof Decision>;
export { EventId };
