/** sec.integrity_baseline and sec.integrity_compare. */

import { afterAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, chownSync, lchownSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { auditIn, entryOf, newFolder } from "../../audit/testing/records.ts";
import { callTool, memoryState, testPlaces } from "../../testing/context.ts";
import { baselineTool } from "./integrity_baseline.ts";
import { compareTool } from "./integrity_compare.ts";
import { compareKeys } from "./shared/integrity/entry.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const audit = auditIn(newFolder());
const policies = [{ name: "one", effect: "permit" as const, reason: "", source: "image" as const, text: "permit(…)" }];
const declared = new Map<string, ReturnType<typeof memoryState>>();
const ports = {
  audit,
  policies: () => policies,
  declared: (family: string) => {
    const known = declared.get(family) ?? memoryState();
    declared.set(family, known);
    return known;
  },
};
const baseline = baselineTool(ports);
const compare = compareTool(ports);
const state = memoryState();
const root = join(tests.work, "tree");
const at = (name: string): string => join(root, name);

async function take(input: Record<string, unknown> = {}) {
  const context = tests.context({ state });
  const made = await callTool(baseline, { name: "t", roots: [root], ...input }, context);
  await audit.append({ ...entryOf(1, "outcome"), call: context.call, tool: baseline.name, body: { output: made.output } });
  return made;
}
const look = async (input: Record<string, unknown> = {}) =>
  (await callTool(compare, { name: "t", ...input }, tests.context({ state }))).output;
const told = async (): Promise<string[]> =>
  (await look()).differences.map(
    ({ what, path, changes }) => `${what} ${path.replace(root, "")}${changes.length === 0 ? "" : `: ${changes.join(", ")}`}`,
  );

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(at("b/c"), { recursive: true });
  writeFileSync(at("a"), "a");
  writeFileSync(at("b/c/d"), "d");
  writeFileSync(at("b.x"), "x");
  symlinkSync("a", at("link"));
});

test("nothing has changed: nothing is told", async () => {
  const { output } = await take();
  expect(output).toMatchObject({ entries: 8, hashed_bytes: 3, roots: [root] }); // seven files and a policy
  expect(await look()).toMatchObject({ same: true, differences: [], looked_at: 8, next_cursor: null });
});

test("what is different, by itself and all at once", async () => {
  await take();
  writeFileSync(at("a"), "b");
  expect(await told()).toEqual(["changed /a: content"]);
  writeFileSync(at("a"), "a");
  chmodSync(at("a"), 0o4755);
  chownSync(at("b/c/d"), 7, 8);
  lchownSync(at("link"), 1, 1);
  expect(await told()).toEqual([
    "changed /a: mode 0644 became 4755",
    "changed /b/c/d: owner 0:0 became 7:8",
    "changed /link: owner 0:0 became 1:1",
  ]);
  const fd = tests.sys.file.open("cwd", at("b.x"), ["read"]);
  tests.sys.file.setAttribute(fd, "security.capability", Buffer.from("AAAAAgAAIAAAAAAAAAAAAAAAAAA=", "base64"));
  tests.sys.descriptor.close(fd);
  expect(await told()).toContain('changed /b.x: attribute "security.capability"');
  rmSync(at("link"));
  symlinkSync("/etc/shadow", at("link"));
  renameSync(at("b/c"), at("b/e"));
  rmSync(at("a"));
  mkdirSync(at("a"));
  policies[0] = { ...(policies[0] as (typeof policies)[0]), text: "permit(everything)" };
  declared.get("net")?.put("firewall", { default: "open" });
  expect(await told()).toEqual([
    "changed /a: file became directory",
    "removed /b/c",
    "removed /b/c/d",
    "added /b/e",
    "added /b/e/d",
    'changed /b.x: attribute "security.capability"',
    "changed /link: link target",
    "added net/firewall",
    "changed policy/one: set otherwise",
  ]);
  declared.get("net")?.delete("firewall");
});

test("pages reach everything once", async () => {
  await take();
  for (let number = 0; number < 25; number += 1) writeFileSync(at(`b/new-${number}`), "");
  rmSync(at("b/c/d"));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof look>> = await look({ limit: 4, cursor });
    expect(page.same).toBe(false);
    seen.push(...page.differences.map(({ path }) => path));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toHaveLength(26);
  expect(new Set(seen).size).toBe(26);
});

test("links are not followed, what is not UTF-8 is told", async () => {
  symlinkSync("/etc", at("etc"));
  const name = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(name, "x");
  const { output } = await take();
  expect(output.entries).toBe(10);
  writeFileSync(name, "y");
  expect((await look()).differences).toMatchObject([{ what: "changed", bytes_base64: "//4=", changes: ["content"] }]);
});

test("a file or state that was changed is not believed", async () => {
  await take();
  const file = join(tests.places.broker, "integrity/t.jsonl.zst");
  const whole = readFileSync(file);
  writeFileSync(file, Bun.zstdCompressSync("{}"));
  await expect(look()).rejects.toThrow('reading the baseline "t" failed: it is not what the audit says was made; do not trust it');
  rmSync(file);
  await expect(look()).rejects.toThrow("its file is gone");
  writeFileSync(file, whole);
  expect((await look()).same).toBe(true);
  const known = state.get("baseline/t") as Record<string, unknown>;
  state.put("baseline/t", { ...known, call: "00000000-call-999999" });
  await expect(look()).rejects.toThrow('the audit knows nothing of "00000000-call-999999"');
  state.put("baseline/t", known);
});

test("a root that a link leads away from, one that is gone, one that is too much, and a call that is cancelled", async () => {
  await take();
  const second = join(tests.work, "second");
  renameSync(root, second);
  symlinkSync(second, root);
  expect((await look()).differences.map(({ what }) => what)).toContain("removed"); // the link itself is looked at, not what it leads to
  rmSync(root);
  expect((await look()).differences.map(({ what }) => what)).toEqual(new Array(7).fill("removed"));
  renameSync(second, root);
  await expect(take({ bytes_max: 2 })).rejects.toThrow("it holds more than 2 bytes; take a part of it");
  const context = tests.context({ state });
  context.cancel();
  await expect(callTool(baseline, { name: "t", roots: [root] }, context)).rejects.toThrow("cancelled by the test");
  await expect(take({ name: "p", roots: [join(tests.places.broker, "integrity")] })).rejects.toThrow("it belongs to the broker");
});

test("keys are in the order of a walk", () => {
  const keys = [[], ["a"], ["a", "b"], ["a", "b", "c"], ["a", "c"], ["a.b"], ["b"]].map((names) => ({ root: 0, names }));
  expect(keys.toSorted(compareKeys)).toEqual(keys);
  expect(compareKeys({ root: 1, names: [] }, { root: 0, names: ["z"] })).toBeGreaterThan(0);
});
