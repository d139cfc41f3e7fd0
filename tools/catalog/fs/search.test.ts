/** Searching: where the lines are, within bounds, by patterns that cannot run away. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execRig } from "../../exec/testing/context.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { search } from "./search.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys, work } = tests;
afterAll(() => tests.remove());

const folder = mkdtempSync(join(work, "search-"));
mkdirSync(join(folder, "sub"));
writeFileSync(join(folder, "a.txt"), "first\nneedle here\nlast");
writeFileSync(join(folder, "sub/b.txt"), `Needle\n${"x".repeat(1000)} needle ${"y".repeat(1000)}\n`);
writeFileSync(join(folder, "sub/empty"), "");
writeFileSync(join(folder, "sub/binary"), "needle\0");
writeFileSync(join(folder, "sub/long"), `needle ${"z".repeat(70_000)}`);
writeFileSync(join(folder, "sub/latin"), Buffer.from("caf\xe9 needle\n", "latin1"));
const fd = sys.file.open("cwd", join(folder, "sub/huge"), ["read-write", "create"], [], 0o600);
sys.file.truncate(fd, 20 * 1024 * 1024);
sys.descriptor.close(fd);
symlinkSync("/etc", join(folder, "etc"));

const rig = execRig(tests);
const found = async (input: object) => (await callTool(search, { path: folder, ...input }, rig.context())).output;

test("text, with the line and where it begins; binary, huge and endless lines are passed over", async () => {
  const output = await found({ pattern: "needle" });
  expect(output.matches.map(({ path, line, offset }) => [path.slice(folder.length + 1), line, offset])).toEqual([
    ["a.txt", 2, 6],
    ["sub/b.txt", 2, 7],
    ["sub/latin", 1, 0],
  ]);
  expect(output.matches[0]?.text).toBe("needle here");
  expect(output.matches[1]?.text).toMatch(/^…x+ needle y+…$/);
  expect(output.matches[2]?.text).toBe("caf\ufffd needle");
  expect(output).toMatchObject({ truncated: false, files: 3, passed_over: { binary: 1, large: 1, long_lines: 1, unreadable: 0 } });
});

test("regular expressions, case, names, one file, bounds", async () => {
  expect((await found({ pattern: "^needle", regex: true, ignore_case: true })).matches).toHaveLength(2);
  expect((await found({ pattern: "needle", name: "*.txt" })).matches).toHaveLength(2);
  expect((await found({ path: join(folder, "a.txt"), pattern: "last" })).matches).toMatchObject([{ path: join(folder, "a.txt"), line: 3 }]);
  expect(await found({ pattern: "needle", limit: 1 })).toMatchObject({ truncated: true, matches: [{ line: 2 }] });
  expect(await found({ pattern: "needle", bytes_max: 30 })).toMatchObject({ truncated: true, files: 1 });
  expect((await found({ pattern: "-rf /" })).matches).toEqual([]);
  expect((await found({ pattern: "--pre=/bin/sh", regex: true })).matches).toEqual([]);
  expect((await found({ pattern: "nowhere" })).matches).toEqual([]);
});

test("a pattern that would never end elsewhere ends; a wrong one says what is wrong", async () => {
  writeFileSync(join(folder, "evil"), `${"a".repeat(50_000)}b\n`);
  expect((await found({ pattern: "(a+)+$", regex: true })).matches).toEqual([]);
  await expect(found({ pattern: "(", regex: true })).rejects.toThrow("regex parse error");
  await expect(found({ pattern: "(a)\\1", regex: true })).rejects.toThrow("backreferences are not supported");
  await expect(found({ pattern: "((((a{100}){100}){100}){100})", regex: true })).rejects.toThrow("failed");
});
