/** Editing: exact, all or nothing, and back as the very inode. */

import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { callTool, testPlaces } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { edit } from "./edit.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys } = tests;
afterAll(() => tests.remove());
let root = "";
let path = "";
beforeEach(() => {
  root = mkdtempSync(join(tests.work, "e-"));
  path = join(root, "file");
  writeFileSync(path, "one\ntwo\ntwo\nthree $& \\1\n");
  decorate(sys, path);
});

test("edits one after the other, exactly: no patterns, no special signs", async () => {
  const edits = [
    { old: "one\n", new: "ONE\n" },
    { old: "two", new: "$&", all: true },
    { old: "three $& \\1", new: "" },
  ];
  const { output } = await callTool(edit, { path, edits }, tests.context());
  expect(readFileSync(path, "utf8")).toBe("ONE\n$&\n$&\n\n");
  expect(output).toMatchObject({ path, replaced: [1, 2, 1], size_bytes: 11 });
  expect(readTree(sys, root)["file"]).toMatchObject({ mode: "774", owner: "12:34" });
});

test("back from everywhere", async () => {
  expect(await undoneFromEverywhere(tests, edit, { path, edits: [{ old: "one", new: "1" }] }, root)).toBeGreaterThan(6);
});

test("is what splitting and joining gives, for any text (property)", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "ü", "\n", "$", "\\"), minLength: 1, maxLength: 30 });
  const piece = fc.string({ unit: fc.constantFrom("a", "b", "ü", "\n"), minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(text, piece, fc.string({ unit: "grapheme", maxLength: 5 }), async (content, old, replacement) => {
      writeFileSync(path, content);
      const times = content.split(old).length - 1;
      const call = callTool(edit, { path, edits: [{ old, new: replacement, all: true }] }, tests.context());
      if (times === 0) await expect(call).rejects.toThrow("is not in the file");
      else await call;
      expect(readFileSync(path, "utf8")).toBe(content.split(old).join(replacement));
    }),
    { numRuns: 60 },
  );
}, 60_000);

test("refused with nothing done", async () => {
  const before = readTree(sys, root);
  const refused = async (input: object, cause: string): Promise<void> => {
    await expect(callTool(edit, { path, ...input }, tests.context())).rejects.toThrow(cause);
  };
  await refused({ edits: [{ old: "two", new: "" }] }, "is there 2 times");
  await refused(
    {
      edits: [
        { old: "one", new: "x" },
        { old: "one", new: "y" },
      ],
    },
    "edit 2",
  );
  await refused({ edits: [{ old: "none", new: "" }] }, "is not in the file");
  await refused({ edits: [{ old: "one", new: "" }], expected_sha256: "0".repeat(64) }, "not the file that was expected");
  await refused({ edits: [] }, "edits");
  await refused({ edits: [{ old: "", new: "x" }] }, "old");
  await refused({ path: root, edits: [{ old: "a", new: "b" }] }, "is a folder");
  expect(readTree(sys, root)).toEqual(before);
  linkSync(path, join(root, "twin"));
  await refused({ edits: [{ old: "one", new: "" }] }, "2 names (hard links)");
  writeFileSync(join(root, "bytes"), Buffer.from([0xff, 0x61]));
  await refused({ path: join(root, "bytes"), edits: [{ old: "a", new: "b" }] }, "is not UTF-8");
});

test("a file that somebody writes to between reading and replacing is left as it is", async () => {
  const call = callTool(edit, { path, edits: [{ old: "one", new: "1" }] }, tests.context(), {
    before_run: () => writeFileSync(path, "one, theirs"),
  });
  await expect(call).rejects.toThrow("changed meanwhile");
  expect(readFileSync(path, "utf8")).toBe("one, theirs");
});
