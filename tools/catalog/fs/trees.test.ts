/** Trees that are made, copied, moved and removed: exact, at once, and back from wherever they were cut off. */

import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { valueInNamespaces } from "../../../sys/testing.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree, type TreeEntry } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import type { AnyTool } from "../../tool.ts";
import { copy } from "./copy.ts";
import { link } from "./link.ts";
import { mkdir } from "./mkdir.ts";
import { move } from "./move.ts";
import { remove } from "./remove.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys } = tests;
afterAll(() => tests.remove());
let root = "";
const at = (name: string): string => join(root, name);
const limit_ms = 120_000;

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

async function refused(tool: AnyTool, input: unknown, cause: string): Promise<void> {
  const before = readTree(sys, root);
  await expect(callTool(tool, input, tests.context())).rejects.toThrow(cause);
  expect(readTree(sys, root)).toEqual(before);
}

/** Without what a copy does not hand on unless it is asked to. */
function unprivileged(tree: Record<string, TreeEntry>): Record<string, TreeEntry> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => {
      const { "security.capability": _capability, ...attributes } = entry.attributes;
      return [path, { ...entry, attributes, mode: entry.type === "file" ? entry.mode.slice(-3) : entry.mode }];
    }),
  );
}

describe("fs.remove", () => {
  test("a tree, a file, a link, back from everywhere as the very inodes", async () => {
    const inode = statSync(at("tree")).ino;
    for (const name of ["tree", "tree/file", "tree/sub/link", "tree/sub/deep"])
      expect(await undoneFromEverywhere(tests, remove, { path: at(name), recursive: true }, root)).toBeGreaterThan(2);
    expect(statSync(at("tree")).ino).toBe(inode);
  });

  test("is gone when it is done", async () => {
    await callTool(remove, { path: at("tree"), recursive: true }, tests.context());
    await callTool(remove, { path: at("other") }, tests.context());
    expect(readdirSync(root)).toEqual([]);
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
    expect(readdirSync(root).sort()).toEqual(["kept", "other", "tree"]);
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
});

describe("fs.copy", () => {
  test(
    "a tree, exactly, with its hard links, holes and names; without privileges unless they are asked for",
    async () => {
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
    },
    limit_ms,
  );

  test(
    "back from everywhere: new, and replacing a file or a tree",
    async () => {
      mkdirSync(at("old/full"), { recursive: true });
      decorate(sys, at("old"));
      for (const to of ["new", "other", "old"])
        expect(await undoneFromEverywhere(tests, copy, { from: at("tree"), to: at(to), replace: true }, root)).toBeGreaterThan(20);
      expect(await undoneFromEverywhere(tests, copy, { from: at("tree/file"), to: at("tree/sub/deep/f") }, root)).toBeGreaterThan(5);
    },
    limit_ms,
  );

  test("is not taken back when somebody has worked in it since", async () => {
    const { undo } = await callTool(copy, { from: at("tree"), to: at("copy") }, tests.context());
    writeFileSync(at("copy/sub/theirs"), "");
    await expect(undo()).rejects.toThrow("something in it was changed since");
    expect(existsSync(at("copy/sub/theirs"))).toBe(true);
  });

  test("cancelled in the middle leaves nothing", async () => {
    const context = tests.context();
    const before = readTree(sys, root);
    await expect(callTool(copy, { from: at("tree"), to: at("copy") }, context, { before_run: () => context.cancel() })).rejects.toThrow(
      "cancelled by the test",
    );
    expect({ ...readTree(sys, root), ".": null }).toEqual({ ...before, ".": null });
  });

  test("refusals", async () => {
    Bun.spawnSync(["mkfifo", at("tree/pipe")]);
    const before = readdirSync(root).sort();
    await expect(callTool(copy, { from: at("tree"), to: at("copy") }, tests.context())).rejects.toThrow("is a named pipe");
    expect(readdirSync(root).sort()).toEqual(before);
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
});

describe("fs.move", () => {
  test(
    "renames, back from everywhere: to a new name, into another folder, replacing a file or a tree",
    async () => {
      mkdirSync(at("old/full"), { recursive: true });
      for (const [from, to] of [
        ["tree", "new"],
        ["tree/sub/deep", "up"],
        ["other", "tree/file"],
        ["tree", "other"],
        ["other", "old"],
        ["tree/sub/link", "link"],
      ] as const)
        expect(await undoneFromEverywhere(tests, move, { from: at(from), to: at(to), replace: true }, root)).toBeGreaterThan(2);
      const tree = readTree(sys, at("tree"));
      await callTool(move, { from: at("tree"), to: at("new") }, tests.context());
      expect(readTree(sys, at("new"))).toEqual(tree);
      expect(existsSync(at("tree"))).toBe(false);
    },
    limit_ms,
  );

  test(
    "across mounts: copied with everything, the original in the trash; back from everywhere, and from a full disk",
    async () => {
      const value = await valueInNamespaces(
        `
      import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
      import { testPlaces, callTool } from ${JSON.stringify(join(import.meta.dir, "../../testing/context.ts"))};
      import { readTree } from ${JSON.stringify(join(import.meta.dir, "../../testing/tree.ts"))};
      import { undoneFromEverywhere } from ${JSON.stringify(join(import.meta.dir, "../../testing/undo.ts"))};
      import { move } from ${JSON.stringify(join(import.meta.dir, "move.ts"))};
      const at = ${JSON.stringify(at("mnt"))}, tree = ${JSON.stringify(at("tree"))}, root = ${JSON.stringify(root)};
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
    },
    limit_ms,
  );

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
});

describe("fs.mkdir", () => {
  test("one or a chain, at once, with mode and owner; back from everywhere", async () => {
    expect(await undoneFromEverywhere(tests, mkdir, { path: at("one"), mode: "1777", uid: 5, gid: 6 }, root)).toBeGreaterThan(4);
    expect(await undoneFromEverywhere(tests, mkdir, { path: at("tree/a/b/c"), parents: true }, root)).toBeGreaterThan(8);
    const { output } = await callTool(mkdir, { path: at("x/y/"), parents: true, mode: "2750", uid: 5, gid: 6 }, tests.context());
    expect(output).toEqual({ path: at("x/y"), made: [at("x"), at("x/y")] });
    expect(statSync(at("x/y"))).toMatchObject({ uid: 5, gid: 6 });
    expect(statSync(at("x/y")).mode & 0o7777).toBe(0o2750);
    expect(await undoneFromEverywhere(tests, mkdir, { path: at("tree"), exist_ok: true }, root)).toBe(0);
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
    await refused(mkdir, { path: `${root}/a/../b`, parents: true }, "failed");
    await refused(mkdir, { path: "/proc/new" }, "window on the kernel");
    await refused(mkdir, { path: join(tests.places.broker, "a/b"), parents: true }, "belongs to the broker");
  });
});

describe("fs.link", () => {
  test("symbolic and hard; back from everywhere", async () => {
    expect(await undoneFromEverywhere(tests, link, { path: at("s"), to: "any/where", kind: "symbolic" }, root)).toBe(2);
    expect(await undoneFromEverywhere(tests, link, { path: at("h"), to: at("tree/file"), kind: "hard" }, root)).toBe(2);
    const { output } = await callTool(link, { path: at("h"), to: at("tree/file"), kind: "hard" }, tests.context());
    expect(output).toEqual({ path: at("h"), to: at("tree/file"), links: 3 });
  });

  test("what policies see: the file that gets a name, and where a symbolic link leads", async () => {
    const seen = async (to: string, kind: string): Promise<string[]> => {
      const context = tests.context();
      const target = await link.resolve(link.input.parse({ path: at("l"), to, kind }), context);
      target.close?.();
      return target.resources.map(({ id, access }) => `${access} ${id}`);
    };
    expect(await seen("tree/../other", "symbolic")).toEqual([`write ${at("l")}`, `read ${at("other")}`]);
    expect(await seen(at("other"), "hard")).toEqual([`write ${at("l")}`, `write ${at("other")}`]);
  });

  test("refusals", async () => {
    await refused(link, { path: at("other"), to: "x", kind: "symbolic" }, "there is something already");
    await refused(link, { path: at("h"), to: at("tree"), kind: "hard" }, "is a folder, not a file");
    await refused(link, { path: at("h"), to: at("none"), kind: "hard" }, "there is nothing");
    await refused(link, { path: at("h"), to: "/proc/self/status", kind: "hard" }, "on another mount");
    await refused(link, { path: at("s"), to: tests.places.broker, kind: "symbolic" }, "belongs to the broker");
    await refused(link, { path: at("s"), to: "a\0b", kind: "symbolic" }, "is no path");
  });
});

test(
  "any sequence of changes is undone, newest first (property)",
  async () => {
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
        const folder = mkdtempSync(join(root, "p-"));
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
  },
  limit_ms,
);
