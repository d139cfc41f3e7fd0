/** Generations of the userland as they lie on the data partition, by the real pkg.history. */

import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testPlaces } from "../../../../tools/testing/context.ts";
import type { AskTool } from "../../../shared/ask-tool.ts";
import { packageFigures } from "../packages.ts";
import { realTools } from "./real-tools.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const folder = join(tests.places.data, "userland");
const ask = realTools(() => tests.context());
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
});

function generation(number: number, principal = "person:anna"): void {
  const record = {
    ...{ number, parent: number - 1, base: "a".repeat(64), call: `00000000-call-${number}`, tool: "pkg.install" },
    ...{ principal, time_ms: number, request: "b".repeat(64), changes: [], sources: [], files: [] },
  };
  mkdirSync(join(folder, "generations", String(number)), { recursive: true });
  writeFileSync(join(folder, "generations", String(number), "record.json"), JSON.stringify(record));
}
const counts = (number: number): void => writeFileSync(join(folder, "current"), `${number}\n`);
const broken = async (): Promise<readonly unknown[]> =>
  (await packageFigures(ask)).map(({ figure, subject, value }) => [figure, subject, value]);
const whole = [["userland.broken", "userland", 0]];
const missing = [["userland.broken", "userland", 1]];

test("the base alone is whole, as is a generation with its record", async () => {
  expect(await broken()).toEqual(whole);
  generation(1);
  generation(2);
  expect(await broken()).toEqual(whole);
  counts(1);
  expect(await broken()).toEqual(whole);
});

test("one that counts and is not there, or whose record cannot be read, is broken", async () => {
  generation(1);
  counts(2);
  expect(await broken()).toEqual(missing);
  expect((await packageFigures(ask))[0]?.detail).toBe("generation 2 is to count, and is not there as a whole");
  generation(2);
  expect(await broken()).toEqual(whole);
  writeFileSync(join(folder, "generations/2/record.json"), "{");
  expect(await broken()).toEqual(missing);
});

test("one that is older than all that are told is taken to be there; one among them is not", async () => {
  for (let number = 1; number <= 60; number += 1) if (number !== 30) generation(number);
  counts(5); // 10 is the oldest of the fifty that are told
  expect(await broken()).toEqual(whole);
  counts(30);
  expect(await broken()).toEqual(missing);
});

test("a service that runs in another generation is told by its name", async () => {
  generation(1);
  generation(2);
  counts(2);
  // which root a process has takes a mounted userland: test-vm/scenarios has that
  const outdated_services = [{ service: "web", generation: 1 }];
  const with_web = (async (...[tool, ...rest]: Parameters<AskTool>) => ({ ...(await ask(tool, ...rest)), outdated_services })) as AskTool;
  expect((await packageFigures(with_web)).slice(1)).toEqual([
    { figure: "service.outdated", subject: "web", value: 1, detail: "it runs in generation 1, and 2 is the current one" },
  ]);
  generation(2, "tier:tactical");
  expect((await packageFigures(with_web)).slice(1)).toEqual([
    {
      ...{ figure: "service.left_behind", subject: "web", value: 1 },
      detail: "it runs in generation 1, and 2 is the current one, which tier:tactical made",
    },
  ]);
});
