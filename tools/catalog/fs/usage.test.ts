/** Room on disk, counted once. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { usage } from "./usage.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { work } = tests;
afterAll(() => tests.remove());

test("counts a file with several names once, and tells the largest", async () => {
  const folder = mkdtempSync(join(work, "usage-"));
  mkdirSync(join(folder, "big"));
  writeFileSync(join(folder, "big/file"), "x".repeat(100_000));
  linkSync(join(folder, "big/file"), join(folder, "big/twin"));
  writeFileSync(join(folder, "small"), "x");
  const { output } = await callTool(usage, { path: folder, largest: 1 }, tests.context());
  expect(output).toMatchObject({ path: folder, size_bytes: 100_001, files: 2, folders: 2, others: 0, closed: 0 });
  expect(output.largest).toMatchObject([{ name: "big" }]);
  expect(output.allocated_bytes).toBeGreaterThan(100_000);
  expect(output.file_system.size_bytes).toBeGreaterThan(output.file_system.available_bytes);
  expect((await callTool(usage, { path: tests.places.data }, tests.context())).output.closed).toBe(1);
});
