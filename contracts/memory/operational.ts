/** Operational memory: the last hour of the present boot, counted as it comes in. Answered from RAM. */

import { z } from "zod";
import { Decision, Outcome } from "../decision.ts";
import { Event, Severity } from "../event.ts";
import { method } from "../rpc.ts";

export const Window = z.enum(["1m", "5m", "15m", "1h"]);
export type Window = z.infer<typeof Window>;

/** An event without its facts, which `full` adds from the durable log. */
export const RecentEvent = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    boot_ms: z.number(),
    time_ms: z.number(),
    kind: z.string(),
    source: z.string(),
    service: z.string().nullable(),
    severity: Severity,
  }),
);
export type RecentEvent = z.infer<typeof RecentEvent>;

export const RecentDecision = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    boot_ms: z.number(),
    tier: z.string(),
    rule: z.string(),
    /** The service that its trigger is about. */
    service: z.string().nullable(),
    result: Outcome.shape.result,
  }),
);
export type RecentDecision = z.infer<typeof RecentDecision>;

/** `cpu.busy_ratio`: what it is of, what it is, its unit last. */
export const MetricName = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/);

export const MetricSample = z.lazy(() =>
  z.strictObject({
    boot_ms: z.number(),
    values: z.record(MetricName, z.number()).refine((values) => Object.keys(values).length <= 96, "a sample has at most 96 values"),
  }),
);
export type MetricSample = z.infer<typeof MetricSample>;

/** What is counted: everything, or by one property. `kind-service` has keys like `service.exited nginx`. */
export const CountedBy = z.enum(["events", "kind", "source", "service", "severity", "kind-service", "decisions", "tier", "rule", "result"]);
export type CountedBy = z.infer<typeof CountedBy>;

export const Count = z.lazy(() =>
  z.strictObject({
    window: Window,
    count: z.int(),
    /** The time that it was counted over: up to five seconds more than the window says, less when the boot is younger. */
    covers_ms: z.number(),
    per_minute: z.number(),
  }),
);
export type Count = z.infer<typeof Count>;

export const Distribution = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    n: z.int(),
    mean: z.number(),
    /** In the order asked for. */
    values: z.array(z.number()),
    /** The largest relative error of these; 0 when exact. */
    error_ratio: z.number(),
    /** How far back its samples reach, at most the window. */
    covers_ms: z.number(),
  }),
);
export type Distribution = z.infer<typeof Distribution>;

export const Top = z.lazy(() =>
  z.strictObject({
    source: z.string(),
    /** Most frequent first; the true count is from `count` − `error` to `count`. */
    keys: z.array(z.strictObject({ key: z.string(), count: z.int(), error: z.int() })),
    /** All that was seen of this source, and over how long. */
    seen: z.int(),
    covers_ms: z.number(),
  }),
);
export type Top = z.infer<typeof Top>;

/** What is held, and what could not be. */
export const Held = z.lazy(() =>
  z.strictObject({
    /** The log of the last hour is still being read after a start: counts are too low until then. */
    replaying: z.boolean(),
    events: z.int(),
    events_max: z.int(),
    decisions: z.int(),
    decisions_max: z.int(),
    metrics: z.int(),
    /** Bytes of what is held, and of all when it is full. */
    bytes: z.number(),
    bytes_max: z.number(),
    /** Names, counters and distributions beyond what can be held, since the service started. */
    overflowed: z.int(),
  }),
);
export type Held = z.infer<typeof Held>;

export const RecentSummary = z.lazy(() =>
  z.strictObject({
    boot_ms: z.number(),
    events: Count,
    by_severity: z.record(z.string(), z.int()),
    by_source: z.record(z.string(), z.int()),
    /** The five most frequent of each source. */
    top: z.array(Top),
    decisions: Count,
    by_result: z.record(z.string(), z.int()),
    metrics: z.array(z.strictObject({ name: z.string(), last: z.number(), mean: z.number(), p95: z.number(), max: z.number() })),
    /** Names for `recent.percentiles` besides the metrics. */
    distributions: z.array(z.string()),
    held: Held,
  }),
);
export type RecentSummary = z.infer<typeof RecentSummary>;

const limit = z.int().min(1).max(200);
const Fractions = z.array(z.number().min(0).max(1)).min(1).max(16);

export const operational_methods = {
  /** Figures measured by the caller. `durable`: they outlive a restart of the service. */
  "metrics.append": method(() => ({
    params: z.strictObject({ samples: z.array(MetricSample).min(1).max(60) }),
    result: z.strictObject({ durable: z.boolean() }),
  })),
  /** The newest `limit` that fit, oldest first. */
  "recent.events": method(() => ({
    params: z.strictObject({
      window: Window,
      limit,
      kind: z.string().max(40).optional(),
      source: z.string().max(31).optional(),
      service: z.string().max(100).optional(),
      severity_min: Severity.optional(),
      full: z.boolean().optional(),
    }),
    result: z.strictObject({ events: z.array(RecentEvent), full: z.array(Event) }),
  })),
  "recent.decisions": method(() => ({
    params: z.strictObject({ window: Window, limit, full: z.boolean().optional() }),
    result: z.strictObject({ decisions: z.array(RecentDecision), full: z.array(Decision) }),
  })),
  /** How often, in every window. @param key of `by`; for `events` and `decisions` it is left out */
  "recent.rate": method(() => ({
    params: z.strictObject({ by: CountedBy, key: z.string().max(150).optional() }),
    result: z.array(Count),
  })),
  /** Of a metric (exact) or of a measured fact or decision time (`service.exited.uptime_ms`, `decision.took_us`). */
  "recent.percentiles": method(() => ({
    params: z.strictObject({ name: z.string().max(100), window: Window, at: Fractions }),
    result: Distribution,
  })),
  /** The most frequent kinds (with what they are about) of one source; rules for the source `decisions`. */
  "recent.top": method(() => ({
    params: z.strictObject({ source: z.string().max(31), window: Window, limit: z.int().min(1).max(32) }),
    result: Top,
  })),
  /** The samples of one metric, oldest first. */
  "recent.metric": method(() => ({
    params: z.strictObject({ name: MetricName, window: Window }),
    result: z.array(z.tuple([z.number(), z.number()])),
  })),
  /** All of it at a glance. */
  "recent.summary": method(() => ({
    params: z.strictObject({ window: Window }),
    result: RecentSummary,
  })),
} as const;

const read = [
  "recent.events",
  "recent.decisions",
  "recent.rate",
  "recent.percentiles",
  "recent.top",
  "recent.metric",
  "recent.summary",
] as const;

export const operational_permissions = {
  reactive: ["metrics.append", ...read],
  operational: read,
  tactical: read,
  strategic: read,
  console: read,
  broker: read,
} as const;
