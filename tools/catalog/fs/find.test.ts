/** Finding: every filter, page by page, and no pattern that is slow. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { callTool, testPlaces } from "../../testing/context.ts";
import { find, nameMatcher } from "./find.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { work } = tests;
afterAll(() => tests.remove());

const folder = mkdtempSync(join(work, "find-"));
mkdirSync(join(folder, "a/b"), { recursive: true });
for (const [name, size] of [
  ["one.log", 10],
  ["a/two.log", 2000],
  ["a/b/three.txt", 3000],
] as const)
  writeFileSync(join(folder, name), "x".repeat(size));
utimesSync(join(folder, "one.log"), 1000, 1000);
Bun.spawnSync(["chmod", "4755", join(folder, "a/two.log")]);
symlinkSync("/etc", join(folder, "etc"));
const found = async (input: object): Promise<string[]> =>
  (await callTool(find, { path: folder, ...input }, tests.context())).output.found.map(({ path }) => path.slice(folder.length + 1));

test("by name, type, size, age, owner, permission, depth", async () => {
  expect(await found({ name: "*.log" })).toEqual(["a/two.log", "one.log"]);
  expect(await found({ types: ["directory"] })).toEqual(["a", "a/b"]);
  expect(await found({ size_min_bytes: 1000, types: ["file"] })).toEqual(["a/b/three.txt", "a/two.log"]);
  expect(await found({ size_max_bytes: 100, types: ["file"] })).toEqual(["one.log"]);
  expect(await found({ changed_before_s: 3600 })).toEqual(["one.log"]);
  expect(await found({ changed_within_s: 3600, types: ["file"] })).toEqual(["a/b/three.txt", "a/two.log"]);
  expect(await found({ mode_any: "6000" })).toEqual(["a/two.log"]);
  expect(await found({ depth: 1 })).toEqual(["a", "etc", "one.log"]);
  expect(await found({ uid: 4242 })).toEqual([]);
});

test("page by page", async () => {
  const first = await callTool(find, { path: folder, limit: 4 }, tests.context());
  expect(first.output).toMatchObject({ next_offset: 4 });
  const rest = await callTool(find, { path: folder, limit: 4, offset: 4 }, tests.context());
  expect(rest.output).toMatchObject({ next_offset: null });
  expect(first.output.found.length + rest.output.found.length).toBe(6);
});

test("patterns fit what they say (property), and none is slow", () => {
  const chars = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
  fc.assert(
    fc.property(chars, chars, chars, (a, b, c) => {
      expect(nameMatcher(`${a}*${c}`)(`${a}${b}${c}`)).toBe(true);
      expect(nameMatcher(`*${b}*`)(`${a}${b}${c}`)).toBe(true);
      expect(nameMatcher(a)(b)).toBe(a === b);
      const wanted = new RegExp(`^${a.replaceAll(".", "\\.")}[^a]?.${b.replaceAll(".", "\\.")}.*$`, "s");
      const name = `${a}b${b}${c}`;
      expect(nameMatcher(`${a}?${b}*`)(name)).toBe(new RegExp(wanted.source.replace("[^a]?.", "."), "s").test(name));
    }),
  );
  expect([nameMatcher("[a-c]?")("bü"), nameMatcher("[!a-c]*")("bx"), nameMatcher("[x")("[x"), nameMatcher("[]]")("]")]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect(nameMatcher(`${"*a".repeat(100)}b`)("a".repeat(255))).toBe(false);
});
