import { expect, test } from "bun:test";
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

test("the last try on this very matter counts, by what came of it; those on other matters do not", () => {
  const tried = (rule: string, subject: string, helped: boolean) => ({ rule, alarm: "disk-full", subject, helped });
  const past = [
    tried("playbook a", "data", true),
    tried("playbook b", "data", true),
    tried("playbook a", "data", false),
    tried("playbook c", "other", true),
  ];
  expect([...lastOn("disk-full data", past)].sort()).toEqual([
    ["playbook a", -1],
    ["playbook b", 1],
  ]);
});
