/** Holds the least time of a watch (agents/shared/seen-gone.ts) against the sensors and the alarms. */

import { expect, test } from "bun:test";
import { seenGoneMs } from "../shared/seen-gone.ts";
import { bundled_alarms } from "./alarms/index.ts";
import { loadAlarms } from "./alarms/load.ts";
import { sensorsOf } from "./list.ts";

const never = (): never => {
  throw new Error("nothing is measured here");
};
/** What the figure itself looks back over, milliseconds (patrol/logins.ts). */
const looks_back: Readonly<Record<string, number>> = { "login.failed": 600_000 };

test("every alarm is watched until its sensor has looked again, at the pace of earnest, and not for minutes more", () => {
  const sensors = sensorsOf({ status: never, services: never, ask: never, boot_ms: () => 0, measured: () => {}, pace: 1 });
  for (const { name, figure, clear_ms } of loadAlarms(bundled_alarms).loaded) {
    const sensor = sensors.find(({ figures }) => figures.includes(figure));
    expect(sensor, figure).toBeDefined();
    const needs_ms = (sensor?.every_ms ?? 0) + clear_ms + (looks_back[figure] ?? 0);
    const least_ms = seenGoneMs(name);
    expect(Math.max(least_ms, 60_000), `${name} needs ${needs_ms} ms`).toBeGreaterThanOrEqual(needs_ms + 20_000);
    if (least_ms > 0) expect(least_ms, `${name} needs ${needs_ms} ms`).toBeLessThanOrEqual(needs_ms + 60_000);
  }
});
