/** fs.find, fs.search, fs.usage, fs.watch, fs.checksum: what they say is so, and they are bounded. */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { execRig } from "../../exec/testing/context.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { checksum } from "./checksum.ts";
import { find, nameMatcher } from "./find.ts";
import { search } from "./search.ts";
import { usage } from "./usage.ts";
import { watch } from "./watch.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys, work } = tests;
afterAll(() => tests.remove());
const limit_ms = 60_000;

describe("fs.find", () => {
  const folder = mkdtempSync(join(work, "find-"));
  mkdirSync(join(folder, "a/b"), { recursive: true });
  for (const [name, size] of [
    ["one.log", 10],
    ["a/two.log", 2000],
    ["a/b/three.txt", 3000],
  ] as const)
    writeFileSync(join(folder, name), "x".repeat(size));
  utimesSync(join(folder, "one.log"), 1000, 1000);
  Bun.spawnSync(["chmod", "4755", join(folder, "a/two.log")]);
  symlinkSync("/etc", join(folder, "etc"));
  const found = async (input: object): Promise<string[]> =>
    (await callTool(find, { path: folder, ...input }, tests.context())).output.found.map(({ path }) => path.slice(folder.length + 1));

  test("by name, type, size, age, owner, permission, depth", async () => {
    expect(await found({ name: "*.log" })).toEqual(["a/two.log", "one.log"]);
    expect(await found({ types: ["directory"] })).toEqual(["a", "a/b"]);
    expect(await found({ size_min_bytes: 1000, types: ["file"] })).toEqual(["a/b/three.txt", "a/two.log"]);
    expect(await found({ size_max_bytes: 100, types: ["file"] })).toEqual(["one.log"]);
    expect(await found({ changed_before_s: 3600 })).toEqual(["one.log"]);
    expect(await found({ changed_within_s: 3600, types: ["file"] })).toEqual(["a/b/three.txt", "a/two.log"]);
    expect(await found({ mode_any: "6000" })).toEqual(["a/two.log"]);
    expect(await found({ depth: 1 })).toEqual(["a", "etc", "one.log"]);
    expect(await found({ uid: 4242 })).toEqual([]);
  });

  test("page by page", async () => {
    const first = await callTool(find, { path: folder, limit: 4 }, tests.context());
    expect(first.output).toMatchObject({ next_offset: 4 });
    const rest = await callTool(find, { path: folder, limit: 4, offset: 4 }, tests.context());
    expect(rest.output).toMatchObject({ next_offset: null });
    expect(first.output.found.length + rest.output.found.length).toBe(6);
  });

  test("patterns fit what they say (property), and none is slow", () => {
    const chars = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
    fc.assert(
      fc.property(chars, chars, chars, (a, b, c) => {
        expect(nameMatcher(`${a}*${c}`)(`${a}${b}${c}`)).toBe(true);
        expect(nameMatcher(`*${b}*`)(`${a}${b}${c}`)).toBe(true);
        expect(nameMatcher(a)(b)).toBe(a === b);
        const wanted = new RegExp(`^${a.replaceAll(".", "\\.")}[^a]?.${b.replaceAll(".", "\\.")}.*$`, "s");
        const name = `${a}b${b}${c}`;
        expect(nameMatcher(`${a}?${b}*`)(name)).toBe(new RegExp(wanted.source.replace("[^a]?.", "."), "s").test(name));
      }),
    );
    expect([nameMatcher("[a-c]?")("bü"), nameMatcher("[!a-c]*")("bx"), nameMatcher("[x")("[x"), nameMatcher("[]]")("]")]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(nameMatcher(`${"*a".repeat(100)}b`)("a".repeat(255))).toBe(false);
  });
});

describe("fs.search", () => {
  const folder = mkdtempSync(join(work, "search-"));
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "a.txt"), "first\nneedle here\nlast");
  writeFileSync(join(folder, "sub/b.txt"), `Needle\n${"x".repeat(1000)} needle ${"y".repeat(1000)}\n`);
  writeFileSync(join(folder, "sub/empty"), "");
  writeFileSync(join(folder, "sub/binary"), "needle\0");
  writeFileSync(join(folder, "sub/long"), `needle ${"z".repeat(70_000)}`);
  writeFileSync(join(folder, "sub/latin"), Buffer.from("caf\xe9 needle\n", "latin1"));
  const fd = sys.file.open("cwd", join(folder, "sub/huge"), ["read-write", "create"], [], 0o600);
  sys.file.truncate(fd, 20 * 1024 * 1024);
  sys.descriptor.close(fd);
  symlinkSync("/etc", join(folder, "etc"));

  const rig = execRig(tests);
  const found = async (input: object) => (await callTool(search, { path: folder, ...input }, rig.context())).output;

  test(
    "text, with the line and where it begins; binary, huge and endless lines are passed over",
    async () => {
      const output = await found({ pattern: "needle" });
      expect(output.matches.map(({ path, line, offset }) => [path.slice(folder.length + 1), line, offset])).toEqual([
        ["a.txt", 2, 6],
        ["sub/b.txt", 2, 7],
        ["sub/latin", 1, 0],
      ]);
      expect(output.matches[0]?.text).toBe("needle here");
      expect(output.matches[1]?.text).toMatch(/^…x+ needle y+…$/);
      expect(output.matches[2]?.text).toBe("caf\ufffd needle");
      expect(output).toMatchObject({ truncated: false, files: 3, passed_over: { binary: 1, large: 1, long_lines: 1, unreadable: 0 } });
    },
    limit_ms,
  );

  test(
    "regular expressions, case, names, one file, bounds",
    async () => {
      expect((await found({ pattern: "^needle", regex: true, ignore_case: true })).matches).toHaveLength(2);
      expect((await found({ pattern: "needle", name: "*.txt" })).matches).toHaveLength(2);
      expect((await found({ path: join(folder, "a.txt"), pattern: "last" })).matches).toMatchObject([
        { path: join(folder, "a.txt"), line: 3 },
      ]);
      expect(await found({ pattern: "needle", limit: 1 })).toMatchObject({ truncated: true, matches: [{ line: 2 }] });
      expect(await found({ pattern: "needle", bytes_max: 30 })).toMatchObject({ truncated: true, files: 1 });
      expect((await found({ pattern: "-rf /" })).matches).toEqual([]);
      expect((await found({ pattern: "--pre=/bin/sh", regex: true })).matches).toEqual([]);
      expect((await found({ pattern: "nowhere" })).matches).toEqual([]);
    },
    limit_ms,
  );

  test(
    "a pattern that would never end elsewhere ends; a wrong one says what is wrong",
    async () => {
      writeFileSync(join(folder, "evil"), `${"a".repeat(50_000)}b\n`);
      expect((await found({ pattern: "(a+)+$", regex: true })).matches).toEqual([]);
      await expect(found({ pattern: "(", regex: true })).rejects.toThrow("regex parse error");
      await expect(found({ pattern: "(a)\\1", regex: true })).rejects.toThrow("backreferences are not supported");
      await expect(found({ pattern: "((((a{100}){100}){100}){100})", regex: true })).rejects.toThrow("failed");
    },
    limit_ms,
  );
});

describe("fs.usage", () => {
  test("counts a file with several names once, and tells the largest", async () => {
    const folder = mkdtempSync(join(work, "usage-"));
    mkdirSync(join(folder, "big"));
    writeFileSync(join(folder, "big/file"), "x".repeat(100_000));
    linkSync(join(folder, "big/file"), join(folder, "big/twin"));
    writeFileSync(join(folder, "small"), "x");
    const { output } = await callTool(usage, { path: folder, largest: 1 }, tests.context());
    expect(output).toMatchObject({ path: folder, size_bytes: 100_001, files: 2, folders: 2, others: 0, closed: 0 });
    expect(output.largest).toMatchObject([{ name: "big" }]);
    expect(output.allocated_bytes).toBeGreaterThan(100_000);
    expect(output.file_system.size_bytes).toBeGreaterThan(output.file_system.available_bytes);
    expect((await callTool(usage, { path: tests.places.data }, tests.context())).output.closed).toBe(1);
  });
});

describe("fs.checksum", () => {
  test("is that of the whole content", async () => {
    const path = join(work, "sum");
    writeFileSync(path, "x".repeat(3_000_000));
    for (const algorithm of ["sha256", "sha512", "blake2b512", "sha1", "md5"] as const) {
      const digest = new Bun.CryptoHasher(algorithm).update("x".repeat(3_000_000)).digest("hex");
      expect((await callTool(checksum, { path, algorithm }, tests.context())).output).toEqual({
        path,
        algorithm,
        digest,
        size_bytes: 3_000_000,
        changed: false,
      });
    }
    await expect(callTool(checksum, { path: "/dev/zero" }, tests.context())).rejects.toThrow("character device");
  });
});

describe("fs.watch", () => {
  test("tells what happens, at once and in order, and ends when it has enough", async () => {
    const folder = mkdtempSync(join(work, "watch-"));
    mkdirSync(join(folder, "sub"));
    const context = tests.context();
    const watching = callTool(watch, { path: folder, recursive: true, until: 5, duration_ms: 20_000 }, context);
    await Bun.sleep(50);
    writeFileSync(join(folder, "sub/new"), "x");
    renameSync(join(folder, "sub/new"), join(folder, "moved"));
    rmSync(join(folder, "moved"));
    const { output } = await watching;
    expect(output.events.map(({ kind, path }) => `${kind} ${path.slice(folder.length + 1)}`)).toEqual([
      "created sub/new",
      "closed-after-writing sub/new",
      "moved-from sub/new",
      "moved-to moved",
      "deleted moved",
    ]);
    expect(output.events[2]?.move).toBe(output.events[3]?.move ?? -1);
    expect(output.folders).toBe(2);
    expect(context.outputs).toHaveLength(5);
  });

  test("one file, only some kinds, until the time is over or it is cancelled", async () => {
    const path = join(work, "watched");
    writeFileSync(path, "");
    const watching = callTool(watch, { path, kinds: ["modified"], duration_ms: 300 }, tests.context());
    await Bun.sleep(30);
    appendFileSync(path, "more");
    const { output } = await watching;
    expect(output.events).toMatchObject([{ kind: "modified", path }]);
    const context = tests.context();
    const cancelled = callTool(watch, { path, duration_ms: 60_000 }, context);
    setTimeout(() => context.cancel(), 20);
    await expect(cancelled).rejects.toThrow("cancelled by the test");
  });
});
