/** Copying: exact, at once, and back from wherever it was cut off. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { callTool } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { copy } from "./copy.ts";
import { fileWorld, unprivileged } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, sys, at, refused } = world;

test("a tree, exactly, with its hard links, holes and names; without privileges unless they are asked for", async () => {
  const fd = sys.file.open("cwd", at("tree/sparse"), ["read-write", "create"], [], 0o600);
  sys.file.truncate(fd, 64 * 1024 ** 2);
  sys.descriptor.close(fd);
  const original = readTree(sys, at("tree"));
  const { output } = await callTool(copy, { from: at("tree"), to: at("copy") }, tests.context());
  expect(output).toMatchObject({ entries: 9, bytes: 64 * 1024 ** 2 + 7, type: "directory" });
  expect(readTree(sys, at("copy"))).toEqual(unprivileged(original));
  expect(statSync(at("copy/sparse")).blocks).toBe(0);
  expect(statSync(at("copy/file")).ino).toBe(statSync(at("copy/sub/twin")).ino);
  await callTool(copy, { from: at("tree"), to: at("exact"), allow_setuid: true }, tests.context());
  expect(readTree(sys, at("exact"))).toEqual(original);
  expect(readTree(sys, at("tree"))).toEqual(original);
});

test("back from everywhere: new, and replacing a file or a tree", async () => {
  mkdirSync(at("old/full"), { recursive: true });
  decorate(sys, at("old"));
  for (const to of ["new", "other", "old"])
    expect(await undoneFromEverywhere(tests, copy, { from: at("tree"), to: at(to), replace: true }, world.root)).toBeGreaterThan(20);
  expect(await undoneFromEverywhere(tests, copy, { from: at("tree/file"), to: at("tree/sub/deep/f") }, world.root)).toBeGreaterThan(5);
});

test("is not taken back when somebody has worked in it since", async () => {
  const { undo } = await callTool(copy, { from: at("tree"), to: at("copy") }, tests.context());
  writeFileSync(at("copy/sub/theirs"), "");
  await expect(undo()).rejects.toThrow("something in it was changed since");
  expect(existsSync(at("copy/sub/theirs"))).toBe(true);
});

test("cancelled in the middle leaves nothing", async () => {
  const context = tests.context();
  const before = readTree(sys, world.root);
  await expect(callTool(copy, { from: at("tree"), to: at("copy") }, context, { before_run: () => context.cancel() })).rejects.toThrow(
    "cancelled by the test",
  );
  expect({ ...readTree(sys, world.root), ".": null }).toEqual({ ...before, ".": null });
});

test("refusals", async () => {
  Bun.spawnSync(["mkfifo", at("tree/pipe")]);
  const before = readdirSync(world.root).sort();
  await expect(callTool(copy, { from: at("tree"), to: at("copy") }, tests.context())).rejects.toThrow("is a named pipe");
  expect(readdirSync(world.root).sort()).toEqual(before);
  await refused(copy, { from: at("tree"), to: at("tree/sub/in") }, "inside of what is copied");
  await refused(copy, { from: at("tree"), to: at("other") }, "there is a file already");
  await refused(copy, { from: at("other"), to: at("tree") }, "give the whole new path");
  await refused(copy, { from: at("tree/file"), to: at("tree"), replace: true }, "a folder that it is in");
  await refused(copy, { from: at("tree/file"), to: at("tree/sub/twin"), replace: true }, "the same file");
  await refused(copy, { from: "/dev/null", to: at("null") }, "a character device");
  await refused(copy, { from: tests.places.broker, to: at("stolen") }, "belongs to the broker");
  await expect(callTool(copy, { from: tests.places.data, to: at("stolen") }, tests.context())).rejects.toThrow("belongs to the broker");
  expect(existsSync(at("stolen"))).toBe(false);
});
