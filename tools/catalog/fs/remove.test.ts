/** Removing: at once, and back as the very inodes. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { callTool } from "../../testing/context.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { remove } from "./remove.ts";
import { fileWorld } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, at, refused } = world;

test("a tree, a file, a link, back from everywhere as the very inodes", async () => {
  const inode = statSync(at("tree")).ino;
  for (const name of ["tree", "tree/file", "tree/sub/link", "tree/sub/deep"])
    expect(await undoneFromEverywhere(tests, remove, { path: at(name), recursive: true }, world.root)).toBeGreaterThan(2);
  expect(statSync(at("tree")).ino).toBe(inode);
});

test("is gone when it is done", async () => {
  await callTool(remove, { path: at("tree"), recursive: true }, tests.context());
  await callTool(remove, { path: at("other") }, tests.context());
  expect(readdirSync(world.root)).toEqual([]);
});

test("is not brought back over something else, nor is anything lost then", async () => {
  const { undo } = await callTool(remove, { path: at("other") }, tests.context());
  writeFileSync(at("other"), "new");
  await expect(undo()).rejects.toThrow("there is something else now");
  expect(readFileSync(at("other"), "utf8")).toBe("new");
  renameSync(at("other"), at("away"));
  await undo();
  expect(readFileSync(at("other"), "utf8")).toBe("other");
});

test("what was exchanged meanwhile stays", async () => {
  const call = callTool(remove, { path: at("other") }, tests.context(), {
    before_run: () => {
      renameSync(at("other"), at("kept"));
      writeFileSync(at("other"), "intruder");
    },
  });
  await expect(call).rejects.toThrow("was exchanged meanwhile");
  expect(readdirSync(world.root).sort()).toEqual(["kept", "other", "tree"]);
});

test("refusals", async () => {
  await refused(remove, { path: at("tree") }, "not empty");
  await refused(remove, { path: at("none") }, "there is nothing");
  await refused(remove, { path: "/", recursive: true }, "root of everything");
  await refused(remove, { path: "/proc", recursive: true }, "window on the kernel");
  await refused(remove, { path: tests.places.data, recursive: true }, "broker's own folder is in it");
  await refused(remove, { path: tests.places.broker, recursive: true }, "belongs to the broker");
  await refused(remove, { path: "/dev", recursive: true }, "mount point");
});
