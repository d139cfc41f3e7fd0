import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeDurably } from "./files.ts";

const root = mkdtempSync(join(tmpdir(), "aios-files-"));
afterAll(() => rmSync(root, { recursive: true }));

test("a file is replaced whole, with the mode that is asked for, in a folder that is made", () => {
  const path = join(root, "a/b/file");
  writeDurably(path, "one");
  expect(statSync(path).mode & 0o777).toBe(0o644);
  writeDurably(path, Buffer.from("two"), 0o600);
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.new`)).toBe(false);
});

test("what an interrupted one left is neither followed nor kept", () => {
  const [path, elsewhere] = [join(root, "file"), join(root, "elsewhere")];
  writeFileSync(elsewhere, "untouched", { mode: 0o644 });
  symlinkSync(elsewhere, `${path}.new`);
  writeDurably(path, "secret", 0o600);
  expect(readFileSync(elsewhere, "utf8")).toBe("untouched");
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["secret", 0o600]);
});

test("one that cannot be written leaves the old one", () => {
  const path = join(root, "kept");
  writeDurably(path, "old");
  expect(() => writeDurably(join(path, "below"), "x")).toThrow();
  expect(readFileSync(path, "utf8")).toBe("old");
});
