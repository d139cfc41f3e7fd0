/** Counts, percentiles and the most frequent, against models that keep everything. */

import { expect, test } from "bun:test";
import { seeded } from "../../wire/seeded.ts";
import { SlidingCount } from "./sliding-count.ts";
import { error_ratio, SlidingSketch } from "./sliding-sketch.ts";
import { merged, SpaceSaving } from "./space-saving.ts";
import { TopKeys } from "./top.ts";
import { hour_ms, slotOf, window_ms, window_names, window_slots } from "./windows.ts";

test.each([1, 2, 3, 4])("sliding counts are those of a model that keeps every event, seed %d", (seed) => {
  const random = seeded(seed);
  const counted = new SlidingCount(0);
  const kept: { slot: number; by: number }[] = [];
  let now = 0;
  for (let step = 0; step < 3000; step += 1) {
    const chance = random();
    if (chance < 0.3) now += Math.floor(random() * (chance < 0.005 ? 2000 : 8));
    const late = random() < 0.1 ? Math.floor(random() * 900) : 0;
    const slot = Math.max(0, now - late);
    const back = kept.length > 0 && random() < 0.1 ? kept[Math.floor(random() * kept.length)] : undefined;
    const change = back !== undefined && back.by > 0 && now - back.slot < 721 ? { slot: back.slot, by: -1 } : { slot, by: 1 };
    if (change.by < 0 && kept.filter((one) => one.slot === change.slot).reduce((sum, { by }) => sum + by, 0) < 1) continue;
    counted.add(change.slot, now, change.by);
    if (now - change.slot < 721) kept.push(change);
    for (const [index, length] of window_slots.entries()) {
      const expected = kept.filter((one) => one.slot >= now - length).reduce((sum, { by }) => sum + by, 0);
      expect(counted.count(index, now)).toBe(expected);
    }
  }
});

const fractions = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];
const draws: readonly [string, (random: () => number) => number][] = [
  ["even", (random) => random() * 1000],
  ["over twelve decades", (random) => 10 ** (random() * 12 - 2)],
  ["both signs", (random) => (random() - 0.5) * 1e6],
  ["few values", (random) => Math.floor(random() * 4)],
];
test.each(draws)("percentiles are within the stated error of the exact ones, values %s", (_, draw) => {
  const random = seeded(7);
  const sketch = new SlidingSketch(4096);
  const kept: { at: number; value: number }[] = [];
  let now_ms = 0;
  for (let step = 0; step < 6000; step += 1) {
    now_ms += random() * 2000;
    const value = draw(random);
    sketch.add(value, now_ms);
    kept.push({ at: now_ms, value });
    if (step % 97 !== 0) continue;
    for (const window of window_names) {
      const found = sketch.percentiles(window, fractions, now_ms);
      const exact = kept
        .slice(-4096)
        .filter(({ at }) => at >= now_ms - window_ms[window])
        .map(({ value: one }) => one)
        .sort((a, b) => a - b);
      expect(found.n).toBe(exact.length);
      for (const [index, fraction] of fractions.entries()) {
        const wanted = exact[Math.max(0, Math.ceil(fraction * exact.length) - 1)] ?? 0;
        expect(Math.abs((found.values[index] ?? 0) - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * error_ratio * 1.0001 + 1e-3);
      }
      const size = exact.reduce((sum, one) => sum + Math.abs(one), 0) / exact.length;
      expect(Math.abs(found.mean - exact.reduce((sum, one) => sum + one, 0) / exact.length)).toBeLessThanOrEqual(size * error_ratio + 1e-3);
    }
  }
});

test("a sketch that is full says how far back it reaches, and forgets everything in time", () => {
  const sketch = new SlidingSketch(100);
  for (let second = 0; second < 1000; second += 1) sketch.add(second, second * 1000);
  expect(sketch.percentiles("1h", [0, 1], 1_000_000)).toMatchObject({ n: 100, covers_ms: 100_000 });
  expect(sketch.percentiles("1m", [0.5], 1_000_000)).toMatchObject({ n: 60, covers_ms: 60_000 });
  expect(sketch.percentiles("1h", [0.5], 999_000 + hour_ms + 1)).toMatchObject({ n: 0, mean: 0 });
});

/** Keys as they come in logs: a few very often, many once. */
const drawKey = (random: () => number): string => `k${Math.floor(400 ** random())}`;

test.each([1, 2, 3])("the most frequent: bounds hold, and none that is frequent enough is missing, seed %d", (seed) => {
  const random = seeded(seed);
  const summaries = [1, 2, 3].map(() => new SpaceSaving(32));
  const counts = new Map<string, number>();
  for (let n = 0; n < 9000; n += 1) {
    const key = drawKey(random);
    summaries[n % 3]?.add(key);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const found = merged(summaries, Number.POSITIVE_INFINITY);
  for (const { key, count, error } of found) {
    const exact = counts.get(key) ?? 0;
    expect(count).toBeGreaterThanOrEqual(exact);
    expect(count - error).toBeLessThanOrEqual(exact);
    expect(error).toBeLessThanOrEqual(9000 / 32);
  }
  const held = new Set(found.map(({ key }) => key));
  for (const [key, count] of counts) if (count > 9000 / 32) expect(held.has(key)).toBe(true);
  expect(found[0]?.key).toBe([...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? "");
});

test("the most frequent of a window: what is older is not counted, and what it covers is said", () => {
  const top = new TopKeys();
  for (let minute = 0; minute < 120; minute += 1) {
    for (let n = 0; n <= minute % 5; n += 1) top.add(`minute ${minute}`, minute * 60_000 + n);
    top.add("always", minute * 60_000);
  }
  const now_ms = 119 * 60_000 + 30_000;
  expect(top.top("1m", 9, now_ms)).toEqual({
    ranked: [
      { key: "minute 119", count: 5, error: 0 },
      { key: "minute 118", count: 4, error: 0 },
      { key: "always", count: 2, error: 0 },
    ],
    seen: 11,
    covers_ms: 90_000,
  });
  expect(top.top("5m", 1, now_ms)).toMatchObject({ ranked: [{ key: "always", count: 6 }], covers_ms: 330_000 });
  expect(top.top("15m", 1, now_ms)).toMatchObject({ ranked: [{ key: "always", count: 20 }], covers_ms: 19.5 * 60_000 });
  expect(top.top("1h", 1, now_ms)).toMatchObject({ ranked: [{ key: "always", count: 65 }], covers_ms: 64.5 * 60_000 });
  expect(top.top("1h", 1, now_ms + 2 * hour_ms)).toMatchObject({ ranked: [], seen: 0 });
});

test("a slot is five seconds, and windows are made of whole ones", () => {
  expect([slotOf(4999), slotOf(5000)]).toEqual([0, 1]);
  expect(window_slots).toEqual([12, 60, 180, 720]);
});
