/** fs.chmod and fs.chown: one file or a tree, with what goes along, and back. */

import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import type { AnyTool } from "../../tool.ts";
import { chmod } from "./chmod.ts";
import { chown } from "./chown.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys } = tests;
afterAll(() => tests.remove());
let root = "";
const at = (name: string): string => join(root, name);
beforeEach(() => {
  root = mkdtempSync(join(tests.work, "o-"));
  mkdirSync(at("tree/sub"), { recursive: true });
  for (const name of ["tree/a", "tree/sub/b"]) writeFileSync(at(name), name);
  linkSync(at("tree/a"), at("tree/sub/twin"));
  symlinkSync("/etc/passwd", at("tree/link"));
  decorate(sys, at("tree/a"));
  decorate(sys, at("tree/sub"));
});

async function refused(tool: AnyTool, input: unknown, cause: string): Promise<void> {
  const before = readTree(sys, root);
  await expect(callTool(tool, input, tests.context())).rejects.toThrow(cause);
  expect(readTree(sys, root)).toEqual(before);
}

describe("fs.chmod", () => {
  test("one, through a link, and a tree with another mode for folders", async () => {
    symlinkSync("tree/a", at("to-a"));
    await callTool(chmod, { path: at("to-a"), mode: "0600" }, tests.context());
    expect(statSync(at("tree/a")).mode & 0o7777).toBe(0o600);
    const passwd = statSync("/etc/passwd").mode;
    const { output } = await callTool(chmod, { path: at("tree"), mode: "0640", folder_mode: "0750", recursive: true }, tests.context());
    expect(output).toEqual({ path: at("tree"), mode: "0750", files: 5 });
    expect(
      Object.values(readTree(sys, at("tree")))
        .map(({ type, mode }) => `${type} ${mode}`)
        .sort(),
    ).toEqual([...["directory 750", "directory 750", "file 640", "file 640", "file 640", "symlink 777"]]);
    expect(statSync("/etc/passwd").mode).toBe(passwd);
    await callTool(chmod, { path: at("tree/a"), mode: "4755", allow_setuid: true }, tests.context());
    expect(statSync(at("tree/a")).mode & 0o7777).toBe(0o4755);
  });

  test("back from everywhere, with ACLs and privileges", async () => {
    expect(await undoneFromEverywhere(tests, chmod, { path: at("tree/a"), mode: "0600" }, root)).toBe(2);
    expect(await undoneFromEverywhere(tests, chmod, { path: at("tree"), mode: "0600", recursive: true }, root)).toBeGreaterThan(4);
  });

  test("refusals", async () => {
    await refused(chmod, { path: at("tree/a"), mode: "4755" }, "setuid or setgid");
    await refused(chmod, { path: at("tree"), mode: "2755", recursive: true }, "setuid or setgid");
    await refused(chmod, { path: at("tree"), mode: "0755", folder_mode: "0700" }, "folder_mode goes with recursive");
    await refused(chmod, { path: "/proc/self/status", mode: "0777" }, "window on the kernel");
    linkSync(at("tree/sub/b"), at("outside"));
    await refused(chmod, { path: at("tree"), mode: "0777", recursive: true }, "1 further names outside of the tree");
    await refused(chmod, { path: tests.places.data, mode: "0777", recursive: true }, "is the broker's");
  });

  test("what comes into the tree meanwhile is left alone, and a file that was replaced is not touched by the undo", async () => {
    const { undo } = await callTool(chmod, { path: at("tree"), mode: "0700", recursive: true }, tests.context(), {
      before_run: () => {
        writeFileSync(at("tree/late"), "");
        symlinkSync("/etc", at("tree/sub/etc"));
      },
    });
    expect(statSync(at("tree/late")).mode & 0o777).toBe(0o644);
    renameSync(at("tree/late"), at("tree/sub/b"));
    await expect(undo()).rejects.toThrow("was replaced by another file since");
  });
});

describe("fs.chown", () => {
  test("one, a link itself, a tree; privileges go, as the kernel has it", async () => {
    await callTool(chown, { path: at("tree/link"), follow: false, uid: 77 }, tests.context());
    expect(readTree(sys, at("tree"))["link"]?.owner).toBe("77:0");
    const { output } = await callTool(chown, { path: at("tree"), uid: 5, gid: 6, recursive: true }, tests.context());
    expect(output).toEqual({ path: at("tree"), uid: 5, gid: 6, files: 6 });
    const tree = readTree(sys, at("tree"));
    expect(Object.values(tree).every(({ owner }) => owner === "5:6")).toBe(true);
    expect(tree["a"]).toMatchObject({ mode: "774" });
    expect(tree["a"]?.attributes["security.capability"]).toBeUndefined();
    expect(statSync("/etc/passwd").uid).toBe(0);
  });

  test("back from everywhere, with the privileges", async () => {
    expect(await undoneFromEverywhere(tests, chown, { path: at("tree/a"), uid: 9 }, root)).toBeGreaterThan(1);
    expect(await undoneFromEverywhere(tests, chown, { path: at("tree"), uid: 9, gid: 9, recursive: true }, root)).toBeGreaterThan(5);
  });

  test("many files: the image is a file of its own", async () => {
    for (let index = 0; index < 300; index++) writeFileSync(at(`tree/sub/many-${index}`), "");
    const before = readTree(sys, root);
    const { image, undo } = await callTool(chown, { path: at("tree"), uid: 9, recursive: true }, tests.context());
    expect(image?.entries).toEqual([]);
    expect(image?.more?.size_bytes).toBeGreaterThan(10_000);
    await undo();
    await undo();
    expect(readTree(sys, root)).toEqual(before);
  }, 60_000);

  test("refusals", async () => {
    await refused(chown, { path: at("tree") }, "give uid, gid or both");
    await refused(chown, { path: at("tree"), uid: -1 }, "uid");
    await refused(chown, { path: at("tree"), uid: 4_294_967_295 }, "uid");
    await refused(chown, { path: at("none"), uid: 1 }, "there is nothing");
  });
});
