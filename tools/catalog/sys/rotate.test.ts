import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { rotate } from "./rotate.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const folder = join(tests.places.data, "log");
mkdirSync(join(folder, "inner"), { recursive: true });
const log = join(folder, "web.log");
const archives = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".zst"))
    .sort();
const unpacked = (name: string): string => Bun.zstdDecompressSync(readFileSync(join(folder, name))).toString();
const at = (now_ms: number) => tests.context({ clock: { now_ms: () => now_ms, boot_ms: () => 0 } });
const day_ms = 86_400_000;
const begin_ms = Date.UTC(2031, 0, 1);

test("whoever has the log open writes on; undo puts back what it held, in front of that", async () => {
  writeFileSync(log, "one\n");
  const writer = openSync(log, "a");
  const inode = statSync(log).ino;
  const made = await callTool(rotate, { files: [log], size_min_bytes: 1 }, at(begin_ms));
  expect(made.output).toMatchObject({ rotated: [{ archive: "web.log.20310101T000000Z.zst", size_bytes: 4, removed: [] }], passed_over: 0 });
  writeSync(writer, "two\n");
  expect([readFileSync(log, "utf8"), unpacked(archives()[0] ?? "")]).toEqual(["two\n", "one\n"]);
  await made.undo();
  await made.undo(); // done twice is done once
  writeSync(writer, "three\n");
  closeSync(writer);
  expect([readFileSync(log, "utf8"), archives(), statSync(log).ino]).toEqual(["one\ntwo\nthree\n", [], inode]);
  expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
});

test("by size and by age; empty ones, links and what is no log are left alone", async () => {
  writeFileSync(log, "x".repeat(2000));
  writeFileSync(join(folder, "inner/small.log"), "x");
  writeFileSync(join(folder, "empty.log"), "");
  writeFileSync(join(folder, "notes.txt"), "x".repeat(2000));
  symlinkSync("/etc/hostname", join(folder, "link.log"));
  const run = async (input: object, now_ms: number) => {
    const { output } = await callTool(rotate, input, at(now_ms));
    return [output.rotated.map(({ path }) => path.slice(folder.length + 1)), output.passed_over];
  };
  expect(await run({ size_min_bytes: 1000 }, begin_ms)).toEqual([["web.log"], 2]);
  expect(await run({ size_min_bytes: 1000 }, begin_ms + 1000)).toEqual([[], 3]);
  appendFileSync(log, "again");
  expect(await run({ age_min_s: 86_400 }, begin_ms + day_ms - 1000)).toEqual([["inner/small.log"], 2]); // made years ago, by that clock
  expect(await run({ age_min_s: 86_400 }, begin_ms + day_ms)).toEqual([["web.log"], 2]);
  expect(archives()).toEqual(["web.log.20310101T000000Z.zst", "web.log.20310102T000000Z.zst"]);
});

test("a number of archives is kept; those that went come back as they were", async () => {
  for (let day = 3; day < 6; day += 1) {
    appendFileSync(log, `${day}`);
    await callTool(rotate, { files: [log], size_min_bytes: 1, keep: 3 }, at(begin_ms + day * day_ms));
  }
  const before = archives();
  expect(before.map((name) => name.slice(8, 16))).toEqual(["20310104", "20310105", "20310106"]);
  const mtimes = before.map((name) => statSync(join(folder, name)).mtimeMs);
  appendFileSync(log, "last");
  const made = await callTool(rotate, { files: [log], size_min_bytes: 1, keep: 1 }, at(begin_ms + 9 * day_ms));
  expect(archives()).toEqual(["web.log.20310110T000000Z.zst"]);
  await made.undo();
  expect(archives()).toEqual(before);
  expect(before.map((name) => statSync(join(folder, name)).mtimeMs)).toEqual(mtimes);
  expect([readFileSync(log, "utf8"), unpacked(before[2] ?? "")]).toEqual(["last", "5"]);
});

test("no copy is kept besides the archive: without it what the log held cannot come back, and nothing is half done", async () => {
  const long = join(folder, "long.log");
  writeFileSync(long, "a line like any other\n".repeat(200_000));
  const kept = (): number => readdirSync(tests.places.data, { recursive: true, encoding: "utf8" }).reduce(sizeOf, 0);
  const before = kept();
  const made = await callTool(rotate, { files: [long], size_min_bytes: 1 }, at(begin_ms));
  expect(kept()).toBeLessThan(before / 2);
  writeFileSync(long, "since\n");
  const [archive = ""] = archives().filter((name) => name.startsWith("long."));
  renameSync(join(folder, archive), join(folder, "elsewhere"));
  await expect(made.undo()).rejects.toThrow(`its archive "${archive}" is gone; put it back first`);
  expect(readFileSync(long, "utf8")).toBe("since\n");
  writeFileSync(join(folder, archive), "no archive");
  await expect(made.undo()).rejects.toThrow("cannot be unpacked");
  expect([readFileSync(long, "utf8"), readdirSync(folder).filter((name) => name.startsWith("."))]).toEqual(["since\n", []]);
  renameSync(join(folder, "elsewhere"), join(folder, archive));
  await made.undo();
  expect(readFileSync(long, "utf8")).toBe(`${"a line like any other\n".repeat(200_000)}since\n`);
});

function sizeOf(sum: number, name: string): number {
  const status = lstatSync(join(tests.places.data, name), { throwIfNoEntry: false });
  return sum + (status?.isFile() === true ? status.size : 0);
}
