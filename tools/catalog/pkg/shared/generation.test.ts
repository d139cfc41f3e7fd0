import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { testPlaces } from "../../../testing/context.ts";
import { generationFolder } from "./folders.ts";
import { chainOf, type GenerationRecord, nextNumber, readGenerations } from "./generation.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const { places } = tests;

function keep(number: number, text: string): void {
  const folder = generationFolder(number, places);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/record.json`, text);
}

const record = (number: number, parent: number): GenerationRecord => ({
  ...{ number, parent, base: "b".repeat(64), call: `call-${number}`, tool: "pkg.install", principal: "person:tester" },
  ...{ time_ms: 1_700_000_000_000, request: "r".repeat(64), changes: [], sources: [], files: [] },
});

test("a generation whose record is damaged is named with why, its number is not given again, and nothing stands on it", () => {
  for (const number of [1, 2, 4]) keep(number, JSON.stringify(record(number, number - 1)));
  keep(3, '{"number": 3, "par');
  mkdirSync(generationFolder(11, places));
  const { records, damaged } = readGenerations({ places });
  expect(records.map(({ number }) => number)).toEqual([1, 2, 4]);
  expect(damaged.map(({ number }) => number)).toEqual([3, 11]);
  expect(damaged[0]?.why).toMatch(/^looking up generation 3 of the userland failed: its record ".*record\.json" cannot be read: /);
  expect(damaged[1]?.why).toContain("there is none");
  expect(nextNumber({ places })).toBe(12);
  expect(chainOf(2, { places }).map(({ number }) => number)).toEqual([2, 1]);
  expect(() => chainOf(4, { places })).toThrow("looking up generation 3 of the userland failed");
});
