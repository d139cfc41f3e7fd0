/**
 * A rule of the reactive tier, as data: on which events, under which condition, how often, what to do and why. It holds
 * comparisons and names of facts, never code.
 */

import { z } from "zod";
import { type EventKind, event_kinds, Severity } from "./event.ts";

/** A fact of the event by its path (`exit.cause`), or `event.severity`, `event.source`, `event.untrusted`. */
export const FactPath = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,4}$/, "a fact is named like service or exit.cause");

const Scalar = z.union([z.string().max(200), z.number(), z.boolean(), z.null()]);
export type Scalar = z.infer<typeof Scalar>;

export const Comparison = z.union([
  z.strictObject({ fact: FactPath, is: Scalar }),
  z.strictObject({ fact: FactPath, is_not: Scalar }),
  z.strictObject({ fact: FactPath, in: z.array(Scalar).min(1).max(64) }),
  z.strictObject({ fact: FactPath, above: z.number() }),
  z.strictObject({ fact: FactPath, at_least: z.number() }),
  z.strictObject({ fact: FactPath, below: z.number() }),
  z.strictObject({ fact: FactPath, at_most: z.number() }),
  z.strictObject({ fact: FactPath, contains: z.string().min(1).max(200) }),
]);
export type Comparison = z.infer<typeof Comparison>;

export type Condition = Comparison | { all: Condition[] } | { any: Condition[] } | { not: Condition };
export const Condition: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    Comparison,
    z.strictObject({ all: z.array(Condition).min(1).max(32) }),
    z.strictObject({ any: z.array(Condition).min(1).max(32) }),
    z.strictObject({ not: Condition }),
  ]),
);

const Duration = z.int().min(1).max(86_400_000);
const EventKindName = z.enum(event_kinds as [EventKind, ...EventKind[]]);

/** At most `count` within any `within_ms`. */
export const Pace = z.lazy(() => z.strictObject({ count: z.int().min(1).max(1000), within_ms: Duration }));
export type Pace = z.infer<typeof Pace>;

export const RuleAction = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("log") }),
  /** The service is named by a fact of the event. */
  z.strictObject({ do: z.literal("restart"), service: z.strictObject({ fact: FactPath }) }),
  z.strictObject({ do: z.literal("reclaim-caches") }),
]);
export type RuleAction = z.infer<typeof RuleAction>;

/** One event of an example; the kind is the rule's first when it is left out. */
const ExampleEvent = z.lazy(() =>
  z.strictObject({
    kind: EventKindName.optional(),
    facts: z.record(z.string(), z.unknown()),
    untrusted: z.string().optional(),
    severity: Severity.optional(),
    /** Milliseconds after the example began. */
    at_ms: z.number().min(0).default(0),
  }),
);
export type ExampleEvent = z.infer<typeof ExampleEvent>;
/** A sequence of events: its last one makes the rule act, or does not. */
const Example = z.union([z.array(ExampleEvent).min(1).max(64), ExampleEvent.transform((event) => [event])]);

export const Rule = z.lazy(() =>
  z.strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/, "a rule's name is a lower-case letter, then up to 60 of a-z 0-9 -"),
    on: z.array(EventKindName).min(1).max(16),
    when: Condition.optional(),
    /** State (threshold, rate, cool-down, limit) is kept for each value of this fact. */
    key: FactPath.optional(),
    /** Acts once when the value passes `enter`, and not again before it has passed `leave`. */
    threshold: z
      .strictObject({ fact: FactPath, enter: z.number(), leave: z.number() })
      .refine((value) => value.enter !== value.leave, "enter and leave must differ, or the rule flaps")
      .optional(),
    /** With a threshold: acts again after this long while the value has not passed `leave`. */
    again_ms: Duration.optional(),
    /** Acts only when this many events matched within the window. */
    rate: Pace.optional(),
    cool_down_ms: z.int().min(0).max(86_400_000).default(0),
    /** Beyond it the decision is recorded, but not carried out. */
    limit: Pace.optional(),
    action: RuleAction,
    severity: Severity,
    /** For people; `{fact}` and `{fact|bytes}`, `{fact|percent}`, `{fact|ms}` are replaced by values. */
    reason: z.string().min(1).max(300),
    examples: z.strictObject({ match: z.array(Example).min(1).max(32), no_match: z.array(Example).min(1).max(32) }),
  }),
);
export type Rule = z.infer<typeof Rule>;
