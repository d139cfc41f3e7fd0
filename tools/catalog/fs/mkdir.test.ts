/** Making folders: all at once, and back. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool } from "../../testing/context.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { mkdir } from "./mkdir.ts";
import { fileWorld } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, at, refused } = world;

test("one or a chain, at once, with mode and owner; back from everywhere", async () => {
  expect(await undoneFromEverywhere(tests, mkdir, { path: at("one"), mode: "1777", uid: 5, gid: 6 }, world.root)).toBeGreaterThan(4);
  expect(await undoneFromEverywhere(tests, mkdir, { path: at("tree/a/b/c"), parents: true }, world.root)).toBeGreaterThan(8);
  const { output } = await callTool(mkdir, { path: at("x/y/"), parents: true, mode: "2750", uid: 5, gid: 6 }, tests.context());
  expect(output).toEqual({ path: at("x/y"), made: [at("x"), at("x/y")] });
  expect(statSync(at("x/y"))).toMatchObject({ uid: 5, gid: 6 });
  expect(statSync(at("x/y")).mode & 0o7777).toBe(0o2750);
  expect(await undoneFromEverywhere(tests, mkdir, { path: at("tree"), exist_ok: true }, world.root)).toBe(0);
});

test("is not taken back when something was put into it", async () => {
  const { undo } = await callTool(mkdir, { path: at("a/b"), parents: true }, tests.context());
  writeFileSync(at("a/theirs"), "");
  await expect(undo()).rejects.toThrow('"theirs" was put into it since');
  expect(readdirSync(at("a")).sort()).toEqual(["b", "theirs"]);
});

test("refusals", async () => {
  await refused(mkdir, { path: at("tree") }, "there is something already");
  await refused(mkdir, { path: at("other"), exist_ok: true }, "there is something already");
  await refused(mkdir, { path: at("a/b") }, "does not exist");
  await refused(mkdir, { path: at("other/b"), parents: true }, "is no folder");
  await refused(mkdir, { path: `${world.root}/a/../b`, parents: true }, "failed");
  await refused(mkdir, { path: "/proc/new" }, "window on the kernel");
  await refused(mkdir, { path: join(tests.places.broker, "a/b"), parents: true }, "belongs to the broker");
});
