import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyOf } from "./cache.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "aios-cache-test-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A folder `source` with one file in it, somewhere. */
function checkout(name: string, file: string, text: string): string {
  const folder = join(home, name, "source");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), text);
  return folder;
}

test("the same source in another folder has the same key; another name or another text below it has another", () => {
  const key = (name: string, file: string, text: string): string => keyOf({ files: [checkout(name, file, text)], values: ["flag"] });
  const first = key("one", "main.ts", "1");
  expect(key("two", "main.ts", "1")).toBe(first);
  expect(key("three", "other.ts", "1")).not.toBe(first);
  expect(key("four", "main.ts", "2")).not.toBe(first);
});

test("what is moved from one input to the next changes the key", () => {
  const [a, b] = [checkout("a", "x", "1"), checkout("b", "y", "2")];
  expect(keyOf({ files: [a, b] })).not.toBe(keyOf({ files: [b, a] }));
  expect(keyOf({ values: ["a", "b"] })).not.toBe(keyOf({ values: ["ab"] }));
});
