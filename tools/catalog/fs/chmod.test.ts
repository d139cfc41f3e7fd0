/** Setting modes: one file or a tree, and back with ACLs and privileges. */

import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { callTool } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { chmod } from "./chmod.ts";
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

test("one, through a link, and a tree with another mode for folders", async () => {
  symlinkSync("own/a", at("to-a"));
  await callTool(chmod, { path: at("to-a"), mode: "0600" }, tests.context());
  expect(statSync(at("own/a")).mode & 0o7777).toBe(0o600);
  const passwd = statSync("/etc/passwd").mode;
  const { output } = await callTool(chmod, { path: at("own"), mode: "0640", folder_mode: "0750", recursive: true }, tests.context());
  expect(output).toEqual({ path: at("own"), mode: "0750", files: 5 });
  expect(
    Object.values(readTree(sys, at("own")))
      .map(({ type, mode }) => `${type} ${mode}`)
      .sort(),
  ).toEqual([...["directory 750", "directory 750", "file 640", "file 640", "file 640", "symlink 777"]]);
  expect(statSync("/etc/passwd").mode).toBe(passwd);
  await callTool(chmod, { path: at("own/a"), mode: "4755", allow_setuid: true }, tests.context());
  expect(statSync(at("own/a")).mode & 0o7777).toBe(0o4755);
});

test("back from everywhere, with ACLs and privileges", async () => {
  expect(await undoneFromEverywhere(tests, chmod, { path: at("own/a"), mode: "0600" }, world.root)).toBe(2);
  expect(await undoneFromEverywhere(tests, chmod, { path: at("own"), mode: "0600", recursive: true }, world.root)).toBeGreaterThan(4);
});

test("refusals", async () => {
  await refused(chmod, { path: at("own/a"), mode: "4755" }, "setuid or setgid");
  await refused(chmod, { path: at("own"), mode: "2755", recursive: true }, "setuid or setgid");
  await refused(chmod, { path: at("own"), mode: "0755", folder_mode: "0700" }, "folder_mode goes with recursive");
  await refused(chmod, { path: "/proc/self/status", mode: "0777" }, "window on the kernel");
  linkSync(at("own/sub/b"), at("outside"));
  await refused(chmod, { path: at("own"), mode: "0777", recursive: true }, "1 further names outside of the tree");
  await refused(chmod, { path: tests.places.data, mode: "0777", recursive: true }, "is the broker's");
});

test("what comes into the tree meanwhile is left alone, and a file that was replaced is not touched by the undo", async () => {
  const { undo } = await callTool(chmod, { path: at("own"), mode: "0700", recursive: true }, tests.context(), {
    before_run: () => {
      writeFileSync(at("own/late"), "");
      symlinkSync("/etc", at("own/sub/etc"));
    },
  });
  expect(statSync(at("own/late")).mode & 0o777).toBe(0o644);
  renameSync(at("own/late"), at("own/sub/b"));
  await expect(undo()).rejects.toThrow("was replaced by another file since");
});
