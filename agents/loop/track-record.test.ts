import { expect, test } from "bun:test";
import { recordOf } from "./track-record.ts";

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
