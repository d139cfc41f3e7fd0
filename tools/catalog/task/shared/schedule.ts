/** When a task is due. All by the wall clock, cron expressions in UTC. */

import { Cron } from "croner";
import { z } from "zod";
import { ToolError } from "../../../tool.ts";

const year_9999_ms = 253_402_300_799_000;

export const Schedule = z.union([
  z.strictObject({
    at_ms: z.number().int().min(0).max(year_9999_ms).describe("once, at this time, milliseconds since 1970"),
  }),
  z.strictObject({
    every_ms: z
      .number()
      .int()
      .min(10_000)
      .max(31_536_000_000)
      .describe("again and again, this far apart, milliseconds; first after one interval"),
  }),
  z.strictObject({
    cron: z
      .string()
      .min(9)
      .max(100)
      .regex(/^[0-9A-Za-z*,/#L? -]+$/, "five fields of digits, names, * , / - # L")
      .describe("five fields: minute hour day-of-month month day-of-week, in UTC: `30 2 * * *` is each day at 02:30"),
  }),
]);
export type Schedule = z.infer<typeof Schedule>;

function parsed(expression: string): Cron {
  return new Cron(expression, { mode: "5-part", timezone: "UTC", paused: true });
}

/** @returns the first time after `now_ms` at which it is due; null when there is none any more */
export function nextAfter(schedule: Schedule, now_ms: number): number | null {
  if ("at_ms" in schedule) return schedule.at_ms > now_ms ? schedule.at_ms : null;
  if ("every_ms" in schedule) return now_ms + schedule.every_ms;
  return parsed(schedule.cron).nextRun(new Date(now_ms))?.getTime() ?? null;
}

/** @throws {ToolError} when it is never due */
export function firstTime(schedule: Schedule, now_ms: number): number {
  const next = nextOrWhy(schedule, now_ms);
  if (typeof next === "number") return next;
  throw new ToolError(`scheduling for ${JSON.stringify(schedule)} failed: ${next}`);
}

function nextOrWhy(schedule: Schedule, now_ms: number): number | string {
  try {
    const next = nextAfter(schedule, now_ms);
    if (next !== null) return next;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "at_ms" in schedule ? `that time is over; it is ${now_ms} (${new Date(now_ms).toISOString()}) now` : "there is no such time";
}
