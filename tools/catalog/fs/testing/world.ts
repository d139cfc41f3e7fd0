/** A folder for tests of the file tools, made anew before each test, with everything in it that files can have. */

import { afterAll, beforeEach, expect } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { System } from "../../../../sys/system.ts";
import { callTool, type TestPlaces, testPlaces } from "../../../testing/context.ts";
import { decorate } from "../../../testing/decorate.ts";
import { readTree, type TreeEntry } from "../../../testing/tree.ts";
import type { AnyTool } from "../../../tool.ts";

interface FileWorld {
  readonly tests: TestPlaces;
  readonly sys: System;
  /** The folder of this test: `tree` with `file`, `sub/twin` (the same), `sub/link`, `sub/deep/empty` and a name of bytes, and `other`. */
  readonly root: string;
  at(name: string): string;
  /** Demands that the call is refused for this cause, and nothing is different. */
  refused(tool: AnyTool, input: unknown, cause: string): Promise<void>;
}

/** To be called where tests are described. */
export function fileWorld(): FileWorld {
  const tests = testPlaces();
  const { sys } = tests;
  afterAll(() => tests.remove());
  let root = "";
  const at = (name: string): string => join(root, name);
  beforeEach(() => {
    root = mkdtempSync(join(tests.work, "t-"));
    mkdirSync(at("tree/sub/deep"), { recursive: true });
    writeFileSync(at("tree/file"), "content");
    linkSync(at("tree/file"), at("tree/sub/twin"));
    symlinkSync("../nowhere", at("tree/sub/link"));
    writeFileSync(at("tree/sub/deep/empty"), "");
    writeFileSync(at("other"), "other");
    decorate(sys, at("tree/file"));
    decorate(sys, at("tree/sub"));
    const fd = sys.file.open("cwd", at("tree"), ["path"]);
    sys.file.makeFolder(fd, Buffer.from([0xff, 0x0a]), 0o711);
    sys.descriptor.close(fd);
  });
  return {
    ...{ tests, sys, at },
    get root() {
      return root;
    },
    async refused(tool, input, cause) {
      const before = readTree(sys, root);
      await expect(callTool(tool, input, tests.context())).rejects.toThrow(cause);
      expect(readTree(sys, root)).toEqual(before);
    },
  };
}

/** Without what a copy does not hand on unless it is asked to. */
export function unprivileged(tree: Record<string, TreeEntry>): Record<string, TreeEntry> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => {
      const { "security.capability": _capability, ...attributes } = entry.attributes;
      return [path, { ...entry, attributes, mode: entry.type === "file" ? entry.mode.slice(-3) : entry.mode }];
    }),
  );
}
