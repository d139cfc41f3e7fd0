import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ClassifierCase } from "../../contracts/memory/classifier.ts";
import { gainAtLeast, scoreOf } from "./compare.ts";
import { featuresOf } from "./features.ts";
import { chanceOf, fit } from "./fit.ts";
import { train } from "./train.ts";

const vector = (...values: number[]): Float32Array => Float32Array.from(values);
const rows = (features: Float32Array, count: number, worked: number) =>
  Array.from({ length: count }, (_, at) => ({ features, worked: at < worked }));

test("without anything else to go by the chance is the share of what worked", () => {
  const weights = fit(rows(vector(1), 40, 30));
  expect(chanceOf(weights, vector(1))).toBeCloseTo(0.75, 3);
});

test("what differs is told apart; a few cases change little", () => {
  const [a, b] = [vector(1, 1, 0), vector(1, 0, 1)];
  const many = fit([...rows(a, 100, 90), ...rows(b, 100, 10)]);
  expect(chanceOf(many, a)).toBeCloseTo(0.9, 1);
  expect(chanceOf(many, b)).toBeCloseTo(0.1, 1);
  const few = fit([...rows(a, 2, 2), ...rows(b, 2, 0)]);
  expect(chanceOf(few, a)).toBeGreaterThan(0.6);
  expect(chanceOf(few, a)).toBeLessThan(0.97);
});

test("whatever the cases, the weights are where the slope is nothing", () => {
  const features = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
  const row = fc.record({ features, worked: fc.boolean() });
  fc.assert(
    fc.property(fc.array(row, { minLength: 4, maxLength: 30 }), (found) => {
      const cases = found.map(({ features: own, worked }) => ({ features: vector(1, ...own), worked }));
      const worked = cases.filter((one) => one.worked).length;
      fc.pre(worked > 0 && worked < cases.length);
      const weights = fit(cases);
      // of the weight that is not drawn: what is expected is what came
      const expected = cases.reduce((sum, one) => sum + chanceOf(weights, one.features), 0);
      expect(Math.abs(expected - worked) / cases.length).toBeLessThan(0.01);
    }),
    { numRuns: 50 },
  );
});

test("processes and ports that differ by number alone are one subject", () => {
  const of = (subject: string): Float32Array => featuresOf({ alarm: "a", subject, vector: vector(0) });
  expect(of("pid:12@345")).toEqual(of("pid:7@1"));
  expect(of("pid:12@345")).not.toEqual(of("web"));
});

test("a gain is one when it is sure, and the same cases give the same verdict", () => {
  expect(gainAtLeast([])).toBe(0);
  expect(gainAtLeast(Array.from({ length: 40 }, () => 0.1))).toBeCloseTo(0.1, 9);
  const mixed = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 1 : -0.9));
  expect(gainAtLeast(mixed)).toBeLessThan(0);
  expect(gainAtLeast(mixed)).toBe(gainAtLeast(mixed));
  expect(
    scoreOf([
      { chance: 0.8, worked: true },
      { chance: 0.6, worked: false },
    ]),
  ).toMatchObject({ right: 1, brier: (0.04 + 0.36) / 2 });
});

function cases(count: number, worked: (at: number) => boolean, neighbours: number | null): ClassifierCase[] {
  return Array.from({ length: count }, (_, at) => {
    const bytes = Buffer.from(vector(at % 2, 1 - (at % 2)).buffer);
    const facts = { decision: `0badcafe-d-tactical-${at}`, alarm: "a", subject: "web", rule: "playbook a" };
    return { ...facts, worked: worked(at), neighbours, vector: bytes.toString("base64") };
  });
}

test("it is switched on when it tells what nobody could tell before, and not when there is nothing to tell", () => {
  const told = train(
    cases(200, (at) => (at % 2 === 0) !== (at % 10 === 0), null),
    "model",
    0,
  );
  expect(told.report).toMatchObject({ is_better: true, trained_on: 140, held_back: 60, rules: ["playbook a"] });
  expect(told.report.after.right).toBeGreaterThan(told.report.before.right);
  expect(told.body?.rules.map(({ rule, cases: known }) => [rule, known])).toEqual([["playbook a", 200]]);
  const chance = train(
    cases(200, (at) => (at * 7919) % 4 < 2, null),
    "model",
    0,
  );
  expect(chance).toMatchObject({ report: { is_better: false }, body: null });
  const few = train(
    cases(40, (at) => at % 2 === 0, null),
    "model",
    0,
  );
  expect(few.report).toMatchObject({ is_better: false, held_back: 12 });
});

test("what earlier cases know already it has to beat", () => {
  const known = cases(200, (at) => at % 2 === 0, null).map((one) => ({ ...one, neighbours: one.worked ? 0.95 : 0.05 }));
  expect(train(known, "model", 0).report.is_better).toBe(false);
});
