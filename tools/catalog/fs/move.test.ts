/** Moving: one rename or a whole copy, and back from wherever it was cut off. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { valueInNamespaces } from "../../../sys/testing.ts";
import { callTool } from "../../testing/context.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { move } from "./move.ts";
import { fileWorld } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, sys, at, refused } = world;

test("renames, back from everywhere: to a new name, into another folder, replacing a file or a tree", async () => {
  mkdirSync(at("old/full"), { recursive: true });
  for (const [from, to] of [
    ["tree", "new"],
    ["tree/sub/deep", "up"],
    ["other", "tree/file"],
    ["tree", "other"],
    ["other", "old"],
    ["tree/sub/link", "link"],
  ] as const)
    expect(await undoneFromEverywhere(tests, move, { from: at(from), to: at(to), replace: true }, world.root)).toBeGreaterThan(2);
  const tree = readTree(sys, at("tree"));
  await callTool(move, { from: at("tree"), to: at("new") }, tests.context());
  expect(readTree(sys, at("new"))).toEqual(tree);
  expect(existsSync(at("tree"))).toBe(false);
});

test("across mounts: copied with everything, the original in the trash; back from everywhere, and from a full disk", async () => {
  const value = await valueInNamespaces(
    `
    import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
    import { testPlaces, callTool } from ${JSON.stringify(join(import.meta.dir, "../../testing/context.ts"))};
    import { readTree } from ${JSON.stringify(join(import.meta.dir, "../../testing/tree.ts"))};
    import { undoneFromEverywhere } from ${JSON.stringify(join(import.meta.dir, "../../testing/undo.ts"))};
    import { move } from ${JSON.stringify(join(import.meta.dir, "move.ts"))};
    const at = ${JSON.stringify(at("mnt"))}, tree = ${JSON.stringify(at("tree"))}, root = ${JSON.stringify(world.root)};
    mkdirSync(at);
    sys.mount.mount({ source: "t", target: at, type: "tmpfs", data: "size=256k" });
    mkdirSync(at + "/.aios-trash", { mode: 0o700 });
    const tests = testPlaces();
    const points = await undoneFromEverywhere(tests, move, { from: tree, to: at + "/moved" }, root);
    const original = readTree(sys, tree);
    const { output, undo } = await callTool(move, { from: tree, to: at + "/moved" }, tests.context());
    const same = Bun.deepEquals(readTree(sys, at + "/moved"), original);
    await undo();
    writeFileSync(tree + "/large", "x".repeat(300000));
    const before = readTree(sys, root);
    const message = await callTool(move, { from: tree, to: at + "/moved" }, tests.context()).then(() => "", (error) => error.message);
    const left = readdirSync(at);
    const untouched = Bun.deepEquals({ ...readTree(sys, tree) }, Object.fromEntries(Object.entries(before).filter(([p]) => p.startsWith("tree/") || p === "tree").map(([p, e]) => [p === "tree" ? "." : p.slice(5), e])));
    tests.remove();
    console.log(JSON.stringify({ points, copied: output.copied, same, message, left, untouched }));
  `,
  );
  expect(value).toMatchObject({
    copied: true,
    same: true,
    untouched: true,
    message: expect.stringContaining("the file system is full"),
  });
  expect((value as { left: string[] }).left.filter((name) => name !== ".aios-trash")).toEqual([]);
  expect((value as { points: number }).points).toBeGreaterThan(20);
});

test("refusals", async () => {
  await refused(move, { from: at("tree"), to: at("tree/sub/in") }, "inside of itself");
  await refused(move, { from: at("tree"), to: at("other") }, "there is a file already");
  await refused(move, { from: at("tree/file"), to: at("tree/file"), replace: true }, "the same file");
  await refused(move, { from: tests.places.data, to: at("data") }, "broker's own folder");
  await refused(move, { from: at("tree"), to: join(tests.places.broker, "x") }, "belongs to the broker");
  await refused(move, { from: "/proc/self", to: at("x") }, "window on the kernel");
});

test("what was exchanged meanwhile, on either side, stays", async () => {
  const swap = (name: string) => () => {
    renameSync(at(name), at(`${name}-kept`));
    writeFileSync(at(name), "intruder");
  };
  await expect(callTool(move, { from: at("other"), to: at("new") }, tests.context(), { before_run: swap("other") })).rejects.toThrow(
    "exchanged meanwhile",
  );
  expect(readFileSync(at("other"), "utf8")).toBe("intruder");
  await expect(
    callTool(move, { from: at("other"), to: at("tree"), replace: true }, tests.context(), { before_run: swap("tree") }),
  ).rejects.toThrow("exchanged meanwhile");
  expect(readFileSync(at("tree"), "utf8")).toBe("intruder");
  const filled = callTool(move, { from: at("other"), to: at("new") }, tests.context(), {
    before_run: () => writeFileSync(at("new"), "theirs"),
  });
  await expect(filled).rejects.toThrow("there is something already");
});
