import { expect, test } from "bun:test";
import fc from "fast-check";
import { growthOf, type Point } from "./growth.ts";

const series = (n: number, value: (at: number) => number): Point[] =>
  Array.from({ length: n }, (_, at) => ({ at_s: at * 15, value: value(at) }));

test("what grows by the same each time leaks, and its slope is told, however noisy it is", () => {
  const noisy = growthOf(
    series(120, (at) => 100 + at + 5 * Math.sin(at * 12.9898)),
    10,
  );
  expect(noisy).toMatchObject({ leaks: true, points: 120, first: 100 });
  expect(noisy.per_hour).toBeWithin(200, 280);
});

test("what warms up and stays, falls, goes up and down, or grows by little does not", () => {
  const warm = series(120, (at) => 100 - 50 * Math.exp(-at / 5));
  const falls = series(120, (at) => 1000 - at);
  const waves = series(240, (at) => 100 + (at % 8));
  const little = series(120, (at) => 100 + at / 100);
  const step = series(120, (at) => (at < 30 ? 100 : 150));
  for (const one of [warm, falls, waves, little, step]) expect(growthOf(one, 10).leaks).toBe(false);
});

test("too few points, none, or all at once say nothing", () => {
  for (const one of [[], series(1, () => 5), series(30, (at) => at * 1000), series(100, () => 5).map((each) => ({ ...each, at_s: 0 }))])
    expect(growthOf(one, 1).leaks).toBe(false);
});

test("chance alone is seldom called a leak", () => {
  const noise = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 100, maxLength: 100 });
  const found = fc.sample(noise, { numRuns: 300, seed: 7 }).filter(
    (values) =>
      growthOf(
        series(100, (at) => values[at] ?? 0),
        0,
      ).leaks,
  );
  expect(found.length).toBeLessThan(6);
});
