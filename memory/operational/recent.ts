/**
 * The last hour of the present boot, in RAM. Everything that is asked for is kept up to date as events, decisions and
 * figures come in; a question looks at what is there and computes next to nothing.
 *
 * Bounded, and each bound is said in `held`: `bytes_max` is what all of it takes when full.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import type {
  Count,
  Distribution,
  Held,
  MetricSample,
  RecentDecision,
  RecentEvent,
  RecentSummary,
  Top,
  Window,
} from "../../contracts/memory/operational.ts";
import type { Clock } from "../clock.ts";
import { BoundedMap } from "./bounded-map.ts";
import { Counters, counter_bytes, counters_max } from "./counters.ts";
import { DecisionRing, decisions_max } from "./decision-ring.ts";
import { type EventQuery, EventRing, events_max } from "./event-ring.ts";
import { MetricSeries, type Point } from "./metric-series.ts";
import { noted } from "./noted.ts";
import { error_ratio, SlidingSketch } from "./sliding-sketch.ts";
import { TopKeys } from "./top.ts";
import { coveredBySlots_ms, hour_ms, window_ms, window_names } from "./windows.ts";

const metrics_max = 128;
const metric_bytes = 11_600;
const distributions_max = 48;
const samples_max = 4096;
/** Of the decisions' own times, which are asked for most. */
const samples_of_decisions_max = 32_768;
const tree_bytes = 4 * 8194;
const sources_max = 24;
/** 19 panes of 32 counters, with keys of up to 110 characters. */
const source_bytes = 19 * 32 * (8 + 2 * 110);
/** The source under which decisions are told by rule. */
const decisions_source = "decisions";
const took = "decision.took_us";
const after = "decision.after_ms";

export class Recent {
  readonly #clock: Clock;
  readonly #events: EventRing;
  readonly #decisions: DecisionRing;
  readonly #counters = new Counters();
  readonly #metrics = new BoundedMap(metrics_max, () => new MetricSeries());
  readonly #sketches = new BoundedMap(
    distributions_max,
    (name) => new SlidingSketch(name === took || name === after ? samples_of_decisions_max : samples_max),
  );
  readonly #tops = new BoundedMap(sources_max, () => new TopKeys());
  /** The log of before is still being read. */
  replaying = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#events = new EventRing(clock.boot);
    this.#decisions = new DecisionRing(clock.boot);
    this.#sketches.need(took);
    this.#sketches.need(after);
  }

  /** Those of another boot and those older than an hour are not of the last hour. */
  takeEvent(event: Event): void {
    const now_ms = this.#clock.boot_ms();
    if (!event.id.startsWith(`${this.#clock.boot}-`) || event.boot_ms < now_ms - hour_ms) return;
    const at_ms = Math.min(event.boot_ms, now_ms);
    const note = noted(event);
    this.#events.add(note);
    const count = (name: string): void => this.#counters.add(name, at_ms, now_ms);
    count("events");
    count(`kind:${note.kind}`);
    count(`source:${note.source}`);
    count(`severity:${note.severity}`);
    if (note.service !== null) {
      count(`service:${note.service}`);
      count(`kind-service:${note.kind} ${note.service}`);
    }
    this.#tops.need(note.source)?.add(note.key, at_ms);
    for (const [name, value] of note.numbers) this.#sketches.need(name)?.add(value, at_ms);
  }

  /** A decision that is known already tells what came of it. */
  takeDecision(decision: Decision): void {
    const now_ms = this.#clock.boot_ms();
    if (!decision.id.startsWith(`${this.#clock.boot}-`) || decision.boot_ms < now_ms - hour_ms) return;
    const at_ms = Math.min(decision.boot_ms, now_ms);
    const { result, after_ms } = decision.outcome;
    const earlier = this.#decisions.put(decision, at_ms);
    const over = result !== "pending" && (earlier === null || earlier.result === "pending");
    if (over && after_ms !== null) this.#sketches.need(after)?.add(after_ms, at_ms);
    if (earlier === null) {
      for (const name of ["decisions", `tier:${decision.tier}`, `rule:${decision.rule}`]) this.#counters.add(name, at_ms, now_ms);
      this.#sketches.need(took)?.add(decision.took_us, at_ms);
      this.#tops.need(decisions_source)?.add(`${decision.tier} ${decision.rule}`, at_ms);
    } else this.#counters.add(`result:${earlier.result}`, earlier.boot_ms, now_ms, -1);
    this.#counters.add(`result:${result}`, earlier?.boot_ms ?? at_ms, now_ms);
  }

  takeMetrics({ boot_ms, values }: MetricSample): void {
    const at_ms = Math.min(boot_ms, this.#clock.boot_ms());
    for (const [name, value] of Object.entries(values)) this.#metrics.need(name)?.add(value, at_ms);
  }

  events(window: Window, query: Omit<EventQuery, "since_ms">): RecentEvent[] {
    return this.#events.query({ ...query, since_ms: this.#since(window) });
  }

  decisions(window: Window, limit: number): RecentDecision[] {
    return this.#decisions.query(this.#since(window), limit);
  }

  /** @param name `events`, `decisions`, or `by:key` */
  rate(name: string): Count[] {
    return this.#counters.counts(name, this.#clock.boot_ms());
  }

  /** @returns null when nothing of that name was ever measured */
  distribution(name: string, window: Window, fractions: readonly number[]): Distribution | null {
    const now_ms = this.#clock.boot_ms();
    const metric = this.#metrics.get(name);
    const found = metric ?? this.#sketches.get(name);
    if (found === null) return null;
    const { values, ...rest } = found.percentiles(window, fractions, now_ms);
    return { name, ...rest, values: [...values], error_ratio: metric === null ? error_ratio : 0 };
  }

  /** Names that `distribution` knows, metrics first. */
  measured(): string[] {
    return [...this.#metrics.entries(), ...this.#sketches.entries()].map(([name]) => name);
  }

  /** @returns null when there is no such source */
  top(source: string, window: Window, limit: number): Top | null {
    const top = this.#tops.get(source)?.top(window, limit, this.#clock.boot_ms());
    return top === undefined ? null : { source, keys: [...top.ranked], seen: top.seen, covers_ms: top.covers_ms };
  }

  sources(): string[] {
    return [...this.#tops.entries()].map(([name]) => name);
  }

  /** @returns null when there is no such metric */
  metric(name: string, window: Window): Point[] | null {
    return this.#metrics.get(name)?.since(this.#since(window)) ?? null;
  }

  summary(window: Window): RecentSummary {
    const now_ms = this.#clock.boot_ms();
    const index = window_names.indexOf(window);
    const under = (prefix: string): Record<string, number> => this.#counters.under(prefix, index, now_ms);
    return {
      boot_ms: now_ms,
      events: this.#count("events", window, now_ms),
      by_severity: under("severity:"),
      by_source: under("source:"),
      top: this.sources().flatMap((source) => this.top(source, window, 5) ?? []),
      decisions: this.#count("decisions", window, now_ms),
      by_result: under("result:"),
      metrics: [...this.#metrics.entries()].map(([name, series]) => {
        const { mean, values } = series.percentiles(window, [0.95, 1], now_ms);
        return { name, last: series.newest?.value ?? 0, mean, p95: values[0] ?? 0, max: values[1] ?? 0 };
      }),
      distributions: [...this.#sketches.entries()].map(([name]) => name),
      held: this.held(),
    };
  }

  held(): Held {
    const sketch_bytes = (samples: number): number => samples * 10 + tree_bytes;
    const of_decisions = 2 * sketch_bytes(samples_of_decisions_max);
    const each = (events: number, decisions: number, counters: number, metrics: number, sketches: number, sources: number): number =>
      events * 50 +
      decisions * 23 +
      counters * counter_bytes +
      metrics * metric_bytes +
      (sketches - 2) * sketch_bytes(samples_max) +
      of_decisions +
      sources * source_bytes;
    const { held: events } = this.#events;
    const { held: decisions } = this.#decisions;
    return {
      replaying: this.replaying,
      events,
      events_max,
      decisions,
      decisions_max,
      metrics: this.#metrics.size,
      bytes: each(events, decisions, this.#counters.size, this.#metrics.size, this.#sketches.size, this.#tops.size),
      bytes_max: each(events_max, decisions_max, counters_max, metrics_max, distributions_max, sources_max),
      overflowed: [this.#events, this.#decisions, this.#counters, this.#metrics, this.#sketches, this.#tops].reduce(
        (sum, { overflowed }) => sum + overflowed,
        0,
      ),
    };
  }

  #since(window: Window): number {
    return this.#clock.boot_ms() - window_ms[window];
  }

  #count(name: string, window: Window, now_ms: number): Count {
    const count = this.#counters.count(name, window_names.indexOf(window), now_ms);
    const covers_ms = coveredBySlots_ms(window, now_ms);
    return { window, count, covers_ms, per_minute: covers_ms > 0 ? (count * 60_000) / covers_ms : 0 };
  }
}
