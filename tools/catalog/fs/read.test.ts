/** Reading: any bytes come back from any pieces, and nothing is left behind. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { callTool, testPlaces } from "../../testing/context.ts";
import { read } from "./read.ts";

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
