import { expect, test } from "bun:test";
import { nothing_told, Result } from "../faults/result.ts";
import { rightOf, sentenceOf } from "./right.ts";

const trial = (more: Partial<Result> = {}): Result =>
  Result.parse({
    ...nothing_told,
    ...{ name: "memory-leak", kind: "fault", family: "memory", arm: "ours", time: 1, repaired: true, repaired_ms: 100, stable: true },
    ...{ by_person: false, collateral: [], trouble: null, ...more },
  });
const times = (count: number, more: Partial<Result> = {}): Result[] => Array.from({ length: count }, () => trial(more));
const nobody = new Set<string>();

test("19 of 20 are enough, 18 are not", () => {
  expect(rightOf([...times(19), trial({ repaired: false })], nobody)).toEqual({
    right: 19,
    of: 20,
    apart: 0,
    percent: 95,
    is_enough: true,
  });
  const few = rightOf([...times(18), trial({ stable: false }), trial({ collateral: ["file /srv/a"] })], nobody);
  expect(few).toMatchObject({ right: 18, of: 20, is_enough: false });
  expect(sentenceOf(few)).toBe("18 of 20 trials ended as they should (90.0 %); TOO FEW: 95 % have to");
});

test("a control that could not be tried is left out, a fault that could not counts as wrong, and so does a control that was acted upon", () => {
  const trouble = "its port was taken";
  const most = rightOf([...times(19), ...times(9, { kind: "control", repaired: false, trouble })], nobody);
  expect(most).toMatchObject({ right: 19, of: 19, apart: 9, is_enough: true });
  expect(sentenceOf(most)).toBe(
    "19 of 19 trials ended as they should (100.0 %, 9 controls that could not be tried apart); at least 95 % have to",
  );
  expect(rightOf([...times(18), trial({ trouble })], nobody)).toMatchObject({ right: 18, of: 19, is_enough: false });
  expect(rightOf([...times(18), trial({ kind: "control", decisions: 1 })], nobody)).toMatchObject({ right: 18, of: 19, is_enough: false });
});

test("what is for a person is right with one, and no trial at all is not enough", () => {
  const handed = trial({ name: "setuid-file", repaired: false, repaired_ms: null, by_person: true });
  expect(rightOf([handed], new Set(["setuid-file"])).is_enough).toBe(true);
  expect(rightOf([handed], nobody).is_enough).toBe(false);
  expect(rightOf([], nobody)).toMatchObject({ of: 0, is_enough: false });
});
