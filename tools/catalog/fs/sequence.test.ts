/** Changes of several kinds one after the other, and all of them back. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { callTool } from "../../testing/context.ts";
import { readTree } from "../../testing/tree.ts";
import { copy } from "./copy.ts";
import { link } from "./link.ts";
import { mkdir } from "./mkdir.ts";
import { move } from "./move.ts";
import { remove } from "./remove.ts";
import { fileWorld } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, sys } = world;

test("any sequence of changes is undone, newest first (property)", async () => {
  const names = ["a", "b", "c", "d/x", "d/y"];
  const name = fc.constantFrom(...names);
  const step = fc.oneof(
    fc.record({ tool: fc.constant("mkdir"), path: name }),
    fc.record({ tool: fc.constant("copy"), path: name, to: name }),
    fc.record({ tool: fc.constant("move"), path: name, to: name }),
    fc.record({ tool: fc.constant("remove"), path: name }),
    fc.record({ tool: fc.constant("link"), path: name, to: name }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const folder = mkdtempSync(join(world.root, "p-"));
      mkdirSync(join(folder, "d"));
      writeFileSync(join(folder, "a"), "a");
      const path = (one: string): string => join(folder, one);
      const undos: { readonly tree: unknown; readonly undo: () => Promise<void> }[] = [];
      for (const one of steps) {
        const tree = readTree(sys, folder);
        const to = "to" in one ? path(one.to) : "";
        const made = await (one.tool === "mkdir"
          ? callTool(mkdir, { path: path(one.path), parents: true }, tests.context())
          : one.tool === "copy"
            ? callTool(copy, { from: path(one.path), to, replace: true }, tests.context())
            : one.tool === "move"
              ? callTool(move, { from: path(one.path), to, replace: true }, tests.context())
              : one.tool === "link"
                ? callTool(link, { path: path(one.path), to, kind: "hard" }, tests.context())
                : callTool(remove, { path: path(one.path), recursive: true }, tests.context())
        ).catch(() => null);
        if (made === null) expect(readTree(sys, folder)).toEqual(tree);
        else undos.push({ tree, undo: made.undo });
      }
      for (const { tree, undo } of undos.reverse()) {
        await undo();
        expect(readTree(sys, folder)).toEqual(tree as ReturnType<typeof readTree>);
      }
    }),
    { numRuns: 40 },
  );
});
