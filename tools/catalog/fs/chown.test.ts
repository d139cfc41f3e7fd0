/** Setting owners: one file or a tree, and back with the privileges. */

import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { callTool } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { chown } from "./chown.ts";
import { fileWorld } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, sys, at, refused } = world;
beforeEach(() => {
  mkdirSync(at("own/sub"), { recursive: true });
  for (const name of ["own/a", "own/sub/b"]) writeFileSync(at(name), name);
  linkSync(at("own/a"), at("own/sub/twin"));
  symlinkSync("/etc/passwd", at("own/link"));
  decorate(sys, at("own/a"));
  decorate(sys, at("own/sub"));
});

test("one, a link itself, a tree; privileges go, as the kernel has it", async () => {
  await callTool(chown, { path: at("own/link"), follow: false, uid: 77 }, tests.context());
  expect(readTree(sys, at("own"))["link"]?.owner).toBe("77:0");
  const { output } = await callTool(chown, { path: at("own"), uid: 5, gid: 6, recursive: true }, tests.context());
  expect(output).toEqual({ path: at("own"), uid: 5, gid: 6, files: 6 });
  const tree = readTree(sys, at("own"));
  expect(Object.values(tree).every(({ owner }) => owner === "5:6")).toBe(true);
  expect(tree["a"]).toMatchObject({ mode: "774" });
  expect(tree["a"]?.attributes["security.capability"]).toBeUndefined();
  expect(statSync("/etc/passwd").uid).toBe(0);
});

test("back from everywhere, with the privileges", async () => {
  expect(await undoneFromEverywhere(tests, chown, { path: at("own/a"), uid: 9 }, world.root)).toBeGreaterThan(1);
  expect(await undoneFromEverywhere(tests, chown, { path: at("own"), uid: 9, gid: 9, recursive: true }, world.root)).toBeGreaterThan(5);
});

test("many files: the image is a file of its own", async () => {
  for (let index = 0; index < 300; index++) writeFileSync(at(`own/sub/many-${index}`), "");
  const before = readTree(sys, world.root);
  const { image, undo } = await callTool(chown, { path: at("own"), uid: 9, recursive: true }, tests.context());
  expect(image?.entries).toEqual([]);
  expect(image?.more?.size_bytes).toBeGreaterThan(10_000);
  await undo();
  await undo();
  expect(readTree(sys, world.root)).toEqual(before);
}, 60_000);

test("refusals", async () => {
  await refused(chown, { path: at("own") }, "give uid, gid or both");
  await refused(chown, { path: at("own"), uid: -1 }, "uid");
  await refused(chown, { path: at("own"), uid: 4_294_967_295 }, "uid");
  await refused(chown, { path: at("none"), uid: 1 }, "there is nothing");
});
