import { expect, test } from "bun:test";
import type { Outcome } from "../../contracts/decision.ts";
import { Event } from "../../contracts/event.ts";
import { lastOn, recordOf } from "./track-record.ts";

test("what helped is expected to help again, whichever tier tried it; nothing known is even; a prior counts as two tries", () => {
  expect(recordOf([], "playbook a")).toEqual({ tries: 0, worked: 0, expected: 0.5 });
  const past = [
    { rule: "playbook a", worked: 1, failed: 1 },
    { rule: "playbook a", worked: 1, failed: 0 },
    { rule: "playbook b", worked: 0, failed: 1 },
  ];
  expect(recordOf(past, "playbook a")).toEqual({ tries: 3, worked: 2, expected: 3 / 5 });
  expect(recordOf(past, "playbook b")).toEqual({ tries: 1, worked: 0, expected: 1 / 3 });
  expect(recordOf(past, "playbook b", 1).expected).toBeCloseTo(2 / 3);
});

test("the last try on this very matter counts, by what came of it; refused and pending ones, and those on other matters, do not", () => {
  const trigger = (subject: string): Event =>
    Event.parse({
      ...{ id: "0badcafe-reactive-1", time_ms: 1, boot_ms: 1, severity: "warning", source: "reactive", kind: "alarm.changed" },
      facts: { alarm: "disk-full", subject, raised: true, value: 1, limit: 1, stood_ms: 1, detail: "full" },
    });
  const tried = (rule: string, subject: string, result: Outcome["result"]) => ({
    ...{ rule, trigger: trigger(subject) },
    outcome: { result, detail: "", after_ms: 1 },
  });
  const past = [
    tried("playbook a", "data", "done"),
    tried("playbook b", "data", "done"),
    tried("playbook a", "data", "failed"),
    tried("playbook b", "data", "refused"),
    tried("playbook c", "data", "pending"),
    tried("playbook c", "other", "done"),
    tried("playbook d", "data", "done"),
    tried("playbook d", "data", "overridden"),
  ];
  expect([...lastOn("disk-full data", past)].sort()).toEqual([
    ["playbook a", -1],
    ["playbook b", 1],
    ["playbook d", -1],
  ]);
});
