import { expect, test } from "bun:test";
import type { Decision } from "../../contracts/decision.ts";
import { recordOf } from "./track-record.ts";

const decided = (rule: string, result: Decision["outcome"]["result"]): Decision => ({
  id: "0badcafe-d-tactical-1",
  time_ms: 0,
  boot_ms: 0,
  tier: "tactical",
  trigger: {
    id: "0badcafe-reactive-1",
    time_ms: 0,
    boot_ms: 0,
    source: "reactive",
    severity: "error",
    kind: "alarm.changed",
    facts: { alarm: "a", subject: "s", raised: true, value: 1, limit: 1, stood_ms: 0, detail: "" },
  },
  rule,
  based_on: [],
  reason: "because",
  action: { do: "log" },
  took_us: 1,
  outcome: { result, detail: "", after_ms: null },
});

test("what helped is expected to help again; nothing known is even; what was refused or is not over says nothing", () => {
  expect(recordOf([], "playbook a")).toEqual({ tries: 0, worked: 0, expected: 0.5 });
  const past = [
    ...["done", "done", "failed", "pending", "refused", "suppressed"].map((result) => decided("playbook a", result as "done")),
    decided("playbook b", "failed"),
  ];
  expect(recordOf(past, "playbook a")).toEqual({ tries: 3, worked: 2, expected: 3 / 5 });
  expect(recordOf(past, "playbook b")).toEqual({ tries: 1, worked: 0, expected: 1 / 3 });
});
