/** A template in memory: what the tree needs of it, and what was counted since its row was written. */

import { weigh } from "./pattern.ts";
import { newRate, type Rate } from "./rate.ts";
import type { SourceCount, TemplateRow } from "./rows.ts";
import type { Entry } from "./tree.ts";

export interface Template extends Entry {
  readonly path: string;
  /** It stands for all lines of its length that fit no other: there is no room for more. */
  readonly vague: boolean;
  lines: number;
  /** Different minutes in which a line came. */
  minutes: number;
  first_ms: number;
  last_ms: number;
  /** The gravest of its lines (level.ts). */
  level: number;
  /** Its last burst (rows.ts). */
  burst_ms: number;
  burst_times: number;
  readonly rate: Rate;
  /** followers.ts */
  noted: number;
  readonly pending: Pending;
  dirty: boolean;
}

/** Not yet in the database. */
export interface Pending {
  readonly sources: Map<string, SourceCount>;
  readonly hours: Map<number, number>;
  /** The entries that were used last, so that one need not look for them. */
  source: string;
  source_count: SourceCount | null;
}

export function minuteOf(time_ms: number): number {
  return Math.floor(time_ms / 60_000);
}

export function hourOf(time_ms: number): number {
  return Math.floor(time_ms / 3_600_000);
}

export function newTemplate(id: number, pattern: string[], path: string, vague: boolean, time_ms: number): Template {
  return {
    id,
    pattern,
    weights: weigh(pattern),
    leaf: null,
    used: 0,
    path,
    vague,
    lines: 0,
    minutes: 0,
    first_ms: time_ms,
    last_ms: time_ms,
    level: 0,
    burst_ms: 0,
    burst_times: 0,
    rate: newRate(minuteOf(time_ms)),
    noted: 0,
    pending: { sources: new Map(), hours: new Map(), source: "", source_count: null },
    dirty: false,
  };
}

/** What a line is compared with. */
export function entryOf({ id, pattern }: TemplateRow): Entry {
  const words = pattern.split(" ");
  return { id, pattern: words, weights: weigh(words), leaf: null, used: 0 };
}

export function templateOf(row: TemplateRow): Template {
  const template = newTemplate(row.id, row.pattern.split(" "), row.path, row.vague === 1, row.first_ms);
  template.lines = row.lines;
  template.minutes = row.minutes;
  template.last_ms = row.last_ms;
  Object.assign(template, { level: row.level, burst_ms: row.burst_ms, burst_times: row.burst_times });
  Object.assign(template.rate, rateOf(row));
  return template;
}

export function rateOf(row: TemplateRow): Omit<Rate, "burst_from"> {
  return {
    sum: row.rate_sum,
    square: row.rate_square,
    weight: row.rate_weight,
    minute: row.rate_minute,
    minute_lines: row.rate_minute_lines,
  };
}
