import { expect, test } from "bun:test";
import { seeded } from "../../wire/seeded.ts";
import { advance, countLine, expected, newRate, type Rate, verdict } from "./rate.ts";

/** Counts of minutes, one after the other, from minute 0 on. @returns how many lines were said to be too many */
function run(rate: Rate, counts: readonly number[], from: number): number {
  let bursts = 0;
  for (const [at, count] of counts.entries()) for (let n = 0; n < count; n += 1) if (countLine(rate, from + at)) bursts += 1;
  return bursts;
}

/** Knuth's way to a Poisson number. */
function poisson(random: () => number, mean: number): number {
  let count = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) count += 1;
  return count;
}

test("lines at random are usual for a week; ten times as many in one minute are a burst", () => {
  const random = seeded(1);
  const rate = newRate(0);
  const week = Array.from({ length: 7 * 24 * 60 }, () => poisson(random, 4));
  expect(run(rate, week, 0)).toBe(0);
  expect(expected(rate)).toBeGreaterThan(2);
  expect(expected(rate)).toBeLessThan(6);
  expect(run(rate, [40], week.length)).toBeGreaterThan(0);
  expect(verdict(rate, week.length)).toMatchObject({ verdict: "burst" });
});

test("a job that writes a hundred lines every hour is no burst once that is known", () => {
  const rate = newRate(0);
  const hours = Array.from({ length: 48 * 60 }, (_, minute) => (minute % 60 === 0 ? 100 : 0));
  run(rate, hours, 0);
  expect(run(rate, hours.slice(0, 600), hours.length)).toBe(0);
});

test("what came every minute and stops is silent after a while, not at once", () => {
  const rate = newRate(0);
  run(rate, new Array<number>(200).fill(1), 0);
  expect(verdict(rate, 202).verdict).toBe("usual");
  expect(verdict(rate, 230).verdict).toBe("silent");
});

test("without half an hour of past nothing is said", () => {
  const rate = newRate(0);
  expect(run(rate, [1, 500], 0)).toBe(0);
  expect(verdict(rate, 1)).toEqual({ verdict: "learning", surprise: 0 });
  run(rate, new Array<number>(40).fill(0), 2);
  advance(rate, 45);
  expect(run(rate, [5000], 46)).toBeGreaterThan(0);
});

test("a line that is a little late counts in the minute in work", () => {
  const rate = newRate(100);
  countLine(rate, 100);
  countLine(rate, 95);
  expect(rate).toMatchObject({ minute: 100, minute_lines: 2 });
});

const year = 365 * 24 * 60;
const steady = (minutes: number): number[] => new Array<number>(minutes).fill(3);

test("a clock that is set back a year makes no burst of what goes on as before, and a real one is still seen", () => {
  const rate = newRate(year);
  run(rate, steady(300), year);
  expect(run(rate, steady(300), 100)).toBe(0);
  expect(verdict(rate, 400).verdict).toBe("usual");
  expect(run(rate, [60], 400)).toBeGreaterThan(0);
});

test("a clock that is set ahead a year makes neither a silence nor a burst of it", () => {
  const rate = newRate(0);
  run(rate, steady(300), 0);
  expect(verdict(rate, year).verdict).toBe("learning");
  expect(run(rate, steady(300), year)).toBe(0);
  expect(run(rate, [60], year + 300)).toBeGreaterThan(0);
});
