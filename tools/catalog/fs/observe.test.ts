/** Reading, listing, looking: what they say is so, they are bounded, and they leave no trace. */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { callTool, testPlaces } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { list } from "./list.ts";
import { read } from "./read.ts";
import { stat } from "./stat.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys, work } = tests;
afterAll(() => tests.remove());
const path = join(work, "file");

async function readAll(at: string, limit_bytes: number, encoding = "auto"): Promise<string[]> {
  const pieces: string[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const { output }: { output: { content: string; next_offset: number | null } } = await callTool(
      read,
      { path: at, offset, limit_bytes, encoding },
      tests.context(),
    );
    pieces.push(output.content);
    offset = output.next_offset;
  }
  return pieces;
}

describe("fs.read", () => {
  test("text whole, from an offset, from the end, and the end is the end", async () => {
    writeFileSync(path, "0123456789");
    const { output } = await callTool(read, { path }, tests.context());
    expect(output).toMatchObject({ path, encoding: "text", content: "0123456789", offset: 0, next_offset: null, size_bytes: 10 });
    expect((await callTool(read, { path, offset: 4, limit_bytes: 3 }, tests.context())).output).toMatchObject({
      content: "456",
      next_offset: 7,
    });
    expect((await callTool(read, { path, offset: -3 }, tests.context())).output).toMatchObject({
      content: "789",
      offset: 7,
      next_offset: null,
    });
    expect((await callTool(read, { path, offset: -30 }, tests.context())).output).toMatchObject({ content: "0123456789", offset: 0 });
    expect((await callTool(read, { path, offset: 99 }, tests.context())).output).toMatchObject({ content: "", next_offset: null });
  });

  test(
    "characters are not cut: any text comes back from pieces of any size (property)",
    () =>
      fc.assert(
        fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 4, max: 20 }), async (text, limit) => {
          writeFileSync(path, text);
          expect((await readAll(path, limit, "text")).join("")).toBe(readFileSync(path, "utf8"));
        }),
        { numRuns: 200 },
      ),
    60_000,
  );

  test(
    "bytes come as base64, and any bytes come back (property)",
    () =>
      fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 1, max: 30 }), async (bytes, limit) => {
          writeFileSync(path, bytes);
          const pieces = await readAll(path, limit, "base64");
          expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64"))).equals(bytes)).toBe(true);
        }),
        { numRuns: 100 },
      ),
    60_000,
  );

  test("files that the kernel makes up, sparse ones beyond 4 GiB, and a large one by limit", async () => {
    expect((await readAll("/proc/self/status", 65_536)).join("")).toContain("VmRSS");
    const fd = sys.file.open("cwd", join(work, "sparse"), ["read-write", "create"], [], 0o600);
    sys.file.truncate(fd, 5 * 1024 ** 3);
    sys.descriptor.close(fd);
    const { output } = await callTool(read, { path: join(work, "sparse"), offset: 5 * 1024 ** 3 - 2 }, tests.context());
    expect(output).toMatchObject({ encoding: "base64", content: "AAA=", next_offset: null, size_bytes: 5 * 1024 ** 3 });
    writeFileSync(path, "x".repeat(200_000));
    expect((await callTool(read, { path }, tests.context())).output).toMatchObject({ next_offset: 65_536 });
  });

  test("leaves the access time as it is", async () => {
    writeFileSync(path, "x");
    utimesSync(path, 1, 2);
    await callTool(read, { path }, tests.context());
    expect(statSync(path).atimeMs).toBe(1000);
  });

  test("does not read what is no file, and never waits for a pipe", async () => {
    Bun.spawnSync(["mkfifo", join(work, "pipe")]);
    const refused: readonly [string, string][] = [
      [work, "is a folder"],
      ["/dev/zero", "is a character device"],
      [join(work, "pipe"), "is a named pipe"],
      [join(work, "none"), "there is nothing"],
      ["/proc/self/mem", "memory"],
      ["/proc/kcore", "failed"],
    ];
    for (const [at, cause] of refused) await expect(callTool(read, { path: at }, tests.context())).rejects.toThrow(cause);
    for (const input of [{ path, limit_bytes: 0 }, { path, limit_bytes: 65_537 }, { path, offset: 0.5 }, {}])
      await expect(callTool(read, input, tests.context())).rejects.toThrow();
  });
});

describe("fs.stat", () => {
  test("tells everything, of links themselves too", async () => {
    const at = join(work, "decorated");
    writeFileSync(at, "12345");
    decorate(sys, at);
    symlinkSync("decorated", join(work, "link"));
    const { output } = await callTool(stat, { path: join(work, "link") }, tests.context());
    expect(output).toMatchObject({ path: at, type: "file", mode: "4774", uid: 12, gid: 34, links: 1, size_bytes: 5, link_to: null });
    expect(output).toMatchObject({ mtime: "2001-09-09T01:46:39.000000001Z", atime: "2005-03-18T01:58:31.111111111Z" });
    expect(Object.keys(output.extended).sort()).toEqual(["security.capability", "system.posix_acl_access", "user.note"]);
    const link = await callTool(stat, { path: join(work, "link"), follow: false }, tests.context());
    expect(link.output).toMatchObject({ path: join(work, "link"), type: "symlink", link_to: "decorated" });
    const device = await callTool(stat, { path: "/dev/null" }, tests.context());
    expect(device.output).toMatchObject({ type: "character-device", node: "1:3" });
    expect((await callTool(stat, { path: "/proc" }, tests.context())).output).toMatchObject({
      attributes: ["mount-root"],
      mount: { type: "proc" },
    });
  });
});

describe("fs.list", () => {
  const folder = mkdtempSync(join(work, "list-"));
  mkdirSync(join(folder, "b/c/d"), { recursive: true });
  writeFileSync(join(folder, "a"), "12");
  writeFileSync(join(folder, "b/large"), "x".repeat(5000));
  utimesSync(join(folder, "a"), 1000, 4_000_000_000);
  symlinkSync("/proc", join(folder, "b/link"));
  const names = async (input: object): Promise<string[]> =>
    (await callTool(list, { path: folder, ...input }, tests.context())).output.entries.map(({ name }) => name);

  test("a folder, deeper, sorted, by type; links are not followed", async () => {
    expect(await names({})).toEqual(["a", "b"]);
    expect(await names({ depth: 2 })).toEqual(["a", "b", "b/c", "b/large", "b/link"]);
    expect(await names({ depth: 32, types: ["directory"] })).toEqual(["b", "b/c", "b/c/d"]);
    expect((await names({ depth: 2, sort: "size", types: ["file"] }))[0]).toBe("b/large");
    expect((await names({ depth: 2, sort: "mtime" }))[0]).toBe("a");
    expect((await callTool(list, { path: folder, depth: 2 }, tests.context())).output.entries[4]).toMatchObject({
      type: "symlink",
      link_to: "/proc",
    });
  });

  test("page by page, within what an answer may hold", async () => {
    const many = mkdtempSync(join(work, "many-"));
    for (let index = 0; index < 700; index++) writeFileSync(join(many, `${"n".repeat(200)}-${String(index).padStart(3, "0")}`), "");
    const seen: string[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const { output }: { output: { entries: { name: string }[]; next_offset: number | null; total: number } } = await callTool(
        list,
        { path: many, offset, limit: 1000 },
        tests.context(),
      );
      expect(JSON.stringify(output).length).toBeLessThan(70_000);
      expect(output.total).toBe(700);
      seen.push(...output.entries.map(({ name }) => name.slice(-3)));
      offset = output.next_offset;
    }
    expect(seen).toEqual(Array.from({ length: 700 }, (_, index) => String(index).padStart(3, "0")));
  });

  test("other mounts and the broker's folder are told and not entered; names that are no text are told", async () => {
    const { output } = await callTool(list, { path: tests.places.data, depth: 3 }, tests.context());
    expect(output.entries).toMatchObject([{ name: "broker", closed: "broker" }]);
    expect(
      (await callTool(list, { path: "/", depth: 2 }, tests.context())).output.entries.find(({ name }) => name === "proc"),
    ).toMatchObject({
      closed: "mount",
    });
    const strange = mkdtempSync(join(work, "strange-"));
    const fd = sys.file.open("cwd", strange, ["path"]);
    sys.file.makeFolder(fd, Buffer.from([0xff]), 0o700);
    expect((await callTool(list, { path: strange }, tests.context())).output.entries).toMatchObject([
      { name: "\ufffd", bytes_base64: "/w==" },
    ]);
    sys.descriptor.close(fd);
  });

  test("is cancelled", async () => {
    const context = tests.context();
    context.cancel();
    await expect(callTool(list, { path: "/usr", depth: 32 }, context)).rejects.toThrow("cancelled by the test");
    await expect(callTool(list, { path }, tests.context())).rejects.toThrow("not a folder");
  });
});
