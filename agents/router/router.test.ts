import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Try } from "../../contracts/learning.ts";
import { calibrated, fitCalibration, type Sample } from "./calibrate.ts";
import { sureMin } from "./sure.ts";
import { loadThresholds } from "./thresholds.ts";
import { scoreInterval } from "./wilson.ts";

const thresholds = loadThresholds();

function tried(confidence: number, helped: boolean): Try {
  return { time_ms: 0, alarm: "a", subject: "s", tier: "tactical", rule: "playbook a", confidence, signals: null, helped };
}

const many = (count: number, confidence: number, worked: number): Try[] =>
  Array.from({ length: count }, (_, at) => tried(confidence, at < worked));

test("the thresholds of the image fit their shape, and wrong ones are refused", () => {
  expect(thresholds.acting.tactical.sure_min).toBe(0.3);
  expect(thresholds.deadlines).toMatchObject({ strategic_question_ms: 300_000, strategic_turn_ms: 120_000 });
  const hasty = { ...thresholds, deadlines: { ...thresholds.deadlines, strategic_question_ms: 1000 } };
  expect(() => loadThresholds(hasty)).toThrow("a turn cannot take longer than its question");
  expect(() => loadThresholds({ ...thresholds, thinking: { turns_max: 0, looks_max: 16, tokens_max: 4000 } })).toThrow(
    "thinking.turns_max",
  );
  expect(() => loadThresholds({ ...thresholds, storms: {} })).toThrow("loading the thresholds of the router failed");
});

test("the interval is Wilson's", () => {
  // https://www.itl.nist.gov/div898/handbook/prc/section2/prc241.htm: 4 of 20, z 1.96
  const { low, high } = scoreInterval(4, 20, 1.96);
  expect(low).toBeCloseTo(0.0807, 3);
  expect(high).toBeCloseTo(0.416, 3);
  expect(scoreInterval(0, 0, 2)).toEqual({ low: 0, high: 1 });
});

test("a tier begins with its threshold, goes down past what has proven to help, and up past what has not", () => {
  expect(sureMin([], "tactical", thresholds)).toEqual({ sure_min: 0.3, learned: false });
  expect(sureMin(many(9, 0.25, 9), "tactical", thresholds).learned).toBe(false);
  expect(sureMin(many(20, 0.25, 12), "tactical", thresholds)).toEqual({ sure_min: 0.2, learned: true });
  expect(sureMin([...many(20, 0.25, 12), ...many(20, 0.15, 12), ...many(20, 0.05, 12)], "tactical", thresholds).sure_min).toBe(0.15);
  expect(sureMin([...many(40, 0.3, 2), ...many(40, 0.4, 2)], "tactical", thresholds)).toEqual({ sure_min: 0.5, learned: true });
  expect(sureMin([...many(40, 0.3, 2), ...many(40, 0.5, 2)], "tactical", thresholds).sure_min).toBe(0.4);
  const hopeless = [3, 4, 5, 6, 7, 8, 9].flatMap((tenth) => many(40, tenth / 10, 0));
  expect(sureMin(hopeless, "tactical", thresholds).sure_min).toBe(0.7);
  expect(sureMin(many(20, 0.25, 12), "strategic", thresholds).learned).toBe(false);
});

test("whatever is on record, the threshold stays within its limits", () => {
  const one = fc.record({ confidence: fc.double({ min: 0, max: 1, noNaN: true }), worked: fc.boolean() });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 200 }), (past) => {
      const { sure_min } = sureMin(
        past.map(({ confidence, worked }) => tried(confidence, worked)),
        "tactical",
        thresholds,
      );
      expect(sure_min).toBeGreaterThanOrEqual(thresholds.learning.least);
      expect(sure_min).toBeLessThanOrEqual(thresholds.learning.most);
    }),
  );
});

/** `count` of each, of which so many worked. */
const samples = (signals: Sample["signals"], count: number, worked: number): Sample[] =>
  Array.from({ length: count }, (_, at) => ({ signals, worked: at < worked }));

test("too few outcomes say nothing; many say what a signal is worth", () => {
  expect(fitCalibration(samples({ neighbours: 0.5 }, 19, 19), thresholds)).toBeNull();
  const overconfident = fitCalibration(
    [...samples({ neighbours: 0.5, model: 0.9 }, 400, 80), ...samples({ neighbours: 0.5, model: 0.1 }, 400, 80)],
    thresholds,
  );
  if (overconfident === null) throw new Error("there are enough outcomes");
  // the model's word made no difference, and what both said came true in one case of five
  for (const model of [0.9, 0.5, 0.1]) expect(calibrated(overconfident, { neighbours: 0.5, model })).toBeCloseTo(0.2, 1);
  const right = fitCalibration([...samples({ model: 0.9 }, 400, 360), ...samples({ model: 0.1 }, 400, 40)], thresholds);
  if (right === null) throw new Error("there are enough outcomes");
  expect(calibrated(right, { model: 0.9 })).toBeCloseTo(0.9, 1);
  expect(calibrated(right, { model: 0.1 })).toBeCloseTo(0.1, 1);
});

test("the chance is one whatever signals say, and grows with what has a weight", () => {
  const signals = fc.record({ neighbours: fc.double({ min: 0, max: 1, noNaN: true }), model: fc.double({ min: 0, max: 1, noNaN: true }) });
  const sample = fc.record({ signals, worked: fc.boolean() });
  fc.assert(
    fc.property(fc.array(sample, { minLength: 20, maxLength: 60 }), signals, (past, now) => {
      const fitted = fitCalibration(past, thresholds);
      if (fitted === null) throw new Error("there are enough outcomes");
      const chance = calibrated(fitted, now);
      expect(chance).toBeGreaterThan(0);
      expect(chance).toBeLessThan(1);
    }),
    { numRuns: 50 },
  );
});
