import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Alarm } from "../../../contracts/alarm.ts";
import { sensorsOf } from "../list.ts";
import { type AlarmChanged, Alarms } from "./alarms.ts";
import { bundled_alarms } from "./index.ts";
import { loadAlarms } from "./load.ts";
import { AlarmTracker } from "./tracker.ts";

const never = (): never => {
  throw new Error("the test does not look");
};

test("every alarm in the image loads, its examples hold, a sensor measures its figure, and its runbook is there", () => {
  const { loaded, refused } = loadAlarms(bundled_alarms);
  expect(refused).toEqual([]);
  expect(loaded.map(({ name }) => name)).toEqual(Object.keys(bundled_alarms).map((file) => file.replace(/\.yaml$/, "")));
  const sensors = sensorsOf({ status: never, services: never, ask: never, boot_ms: never, measured: never, pace: 1 });
  const measured = new Set(sensors.flatMap(({ figures }) => figures));
  expect([...measured].sort()).toEqual([...new Set(loaded.map(({ figure }) => figure))].sort());
  for (const { runbook } of loaded) expect(existsSync(join(import.meta.dir, "../../../knowledge", `${runbook}.md`)), runbook).toBe(true);
});

const alarm = Alarm.parse({
  name: "full",
  figure: "data.used_ratio",
  raise: 0.9,
  clear: 0.8,
  for_ms: 10,
  clear_ms: 20,
  severity: "error",
  means: "it is full",
  runbook: "runbooks/disk-full",
  examples: { stands: [[{ at_ms: 0, value: 1 }]], does_not: [[{ at_ms: 0, value: 0 }]] },
});

test("what is wrong with an alarm is said: an example that does not hold, no hysteresis, a name that is there already", () => {
  expect(loadAlarms({ a: alarm }).refused[0]).toContain("its example stands[0] does not stand at its end");
  expect(loadAlarms({ a: { ...alarm, clear: 0.9 } }).refused[0]).toContain("raise and clear must differ");
  const at_once = { ...alarm, for_ms: 0 };
  expect(loadAlarms({ a: at_once, b: at_once }).refused).toEqual(['loading the alarm "b" failed: there is already one named "full"']);
});

test("raised and cleared once each, with how long it stood; a subject that goes clears it", () => {
  const told: AlarmChanged[] = [];
  const alarms = new Alarms([alarm], (one) => void told.push(one));
  const see = (value: number | null, now_ms: number): void =>
    alarms.take(["data.used_ratio"], value === null ? [] : [{ figure: "data.used_ratio", subject: "data", value, untrusted: "x" }], now_ms);
  for (const [now_ms, value] of [0.95, 0.95, 0.95, 0.85, 0.7, 0.85, 0.7, 0.7].entries()) see(value, now_ms * 10);
  expect(alarms.standing).toEqual(["full of data"]);
  see(0.7, 80);
  expect(alarms.standing).toEqual([]);
  expect(told.map(({ severity, facts }) => [severity, facts.raised, facts.value, facts.limit, facts.stood_ms])).toEqual([
    ["error", true, 0.95, 0.9, 0],
    ["info", false, 0.7, 0.8, 70],
  ]);
  expect(told[0]).toMatchObject({ untrusted: "x", facts: { alarm: "full", subject: "data", detail: "it is full" } });
  see(0.95, 100);
  see(0.95, 110);
  see(null, 150);
  expect(told.at(-1)).toMatchObject({ facts: { raised: false, value: null, stood_ms: 40, detail: "it is full: it is gone" } });
});

test("more subjects than there is room for are counted, not watched", () => {
  const tracker = new AlarmTracker(alarm);
  const figures = Array.from({ length: 300 }, (_, at) => ({ figure: alarm.figure, subject: `s${at}`, value: 1 }));
  tracker.take(figures, 0);
  expect(tracker.take(figures, 10)).toHaveLength(256);
  expect(tracker.unwatched).toBe(44);
});

test("whatever is measured: it is raised and cleared in turn, and what stands was raised last", () => {
  const step = fc.record({ after_ms: fc.nat({ max: 30 }), value: fc.option(fc.double({ min: 0, max: 1, noNaN: true })) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, falls) => {
      const tracker = new AlarmTracker(falls ? { ...alarm, raise: 0.2, clear: 0.4 } : alarm);
      let now_ms = 0;
      let stands = false;
      for (const { after_ms, value } of steps) {
        now_ms += after_ms;
        for (const change of tracker.take(value === null ? [] : [{ figure: alarm.figure, subject: "s", value }], now_ms)) {
          expect(change.raised).toBe(!stands);
          stands = change.raised;
        }
        expect(tracker.standing).toEqual(stands ? ["s"] : []);
      }
    }),
  );
});
