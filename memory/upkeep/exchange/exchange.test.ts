import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Exported } from "../../../contracts/memory/upkeep.ts";
import { Keeper } from "../../keeper.ts";
import { wallClock } from "../../testing/clock.ts";
import { diskFolder } from "../../testing/folder.ts";
import { exitedEvent, noteMemory } from "../../testing/records.ts";
import { exportsIn, importsIn } from "../folders.ts";
import { Upkeep } from "../upkeep.ts";

// helpers are processes of their own: on a busy machine they take their time
setDefaultTimeout(60_000);

const now = (): number => 1_800_000_000_000;

interface Machine {
  readonly keeper: Keeper;
  readonly upkeep: Upkeep;
  readonly folder: string;
}

function machine(): Machine {
  const folder = join(diskFolder("memory-exchange"), "memory");
  mkdirSync(importsIn(folder), { recursive: true });
  const keeper = new Keeper(folder);
  return { keeper, upkeep: new Upkeep({ keeper, clock: wallClock(now) }), folder };
}

async function exported(): Promise<Machine & { text: string; exported: Exported }> {
  const one = machine();
  one.keeper.write(({ longterm, store }) => {
    for (let n = 0; n < 400; n += 1) longterm.put(noteMemory(n, null));
    for (let n = 0; n < 50; n += 1) store.addEvent(exitedEvent(n));
    longterm.pin(noteMemory(5, null).id, true);
    longterm.links.quarantine(noteMemory(6, null).id, "it was wrong", false);
  });
  // half of it is cold
  await one.upkeep.move({ older_than_ms: now() - 1_700_000_200_000, keep_newest: 0, at_least: 1, limit: 10_000 });
  const job = { do: "export", folder: one.folder, name: "all", which: {}, time_ms: now() } as const;
  const made = await one.upkeep.jobs.run<"export">(job);
  const text = zstdDecompressSync(readFileSync(join(exportsIn(one.folder), made.file))).toString();
  return { ...one, text, exported: made };
}

test("what one machine exports another imports: all of it, once, marked with where it came from", async () => {
  const from = await exported();
  expect(from.exported).toMatchObject({ file: "all.jsonl.zst", memories: 450, unreadable: 0 });
  const to = machine();
  copyFileSync(join(exportsIn(from.folder), "all.jsonl.zst"), join(importsIn(to.folder), "from-a"));
  expect(await to.upkeep.import("from-a")).toEqual({ read: 450, written: 450, refused: [], refused_lines: 0 });
  expect(await to.upkeep.import("from-a")).toMatchObject({ read: 450, written: 0 });
  const ids = Array.from({ length: 400 }, (_, n) => noteMemory(n, null).id);
  const recalled = to.keeper.parts.longterm.recall(ids);
  const original = from.keeper.parts.longterm.recall(ids);
  expect(recalled).toEqual(original.map((one) => ({ ...one, pinned: false, taint: [...one.taint, "import:from-a"] })));
  expect(recalled[6]?.quarantined).toBe("it was wrong");
  expect(to.keeper.parts.longterm.recall([exitedEvent(3).id])[0]).toMatchObject({ kind: "event", body: exitedEvent(3) });
  expect(to.keeper.parts.longterm.check()).toEqual([]);
  expect(existsSync(join(importsIn(to.folder), ".from-a.seg"))).toBe(false);
});

test("plain and gzip are taken too; a filter narrows an export", async () => {
  const from = await exported();
  const to = machine();
  writeFileSync(join(importsIn(to.folder), "plain"), from.text);
  writeFileSync(join(importsIn(to.folder), "gz"), gzipSync(from.text));
  expect(await to.upkeep.import("gz")).toMatchObject({ written: 450 });
  expect(await to.upkeep.import("plain")).toMatchObject({ read: 450, written: 0, refused_lines: 0 });
  const which = { kinds: ["event" as const], since_ms: 1_700_000_000_000 + 10_000 };
  const events = await from.upkeep.jobs.run<"export">({ do: "export", folder: from.folder, name: "events", which, time_ms: 1 });
  expect(events.memories).toBe(40);
});

const line = JSON.stringify({ ...noteMemory(1000, null), pinned: false, quarantined: null, used: 0, useful: 0 });
const wrong: readonly [string, (lines: string[]) => string[], { line: number; reason: RegExp }][] = [
  ["a line that is no JSON", (lines) => lines.with(3, "{nothing"), { line: 4, reason: /it is no JSON/ }],
  ["a line that is no memory", (lines) => lines.with(7, '{"id":"x"}'), { line: 8, reason: /id: / }],
  ["a memory that was put in", (lines) => lines.toSpliced(9, 0, line), { line: 453, reason: /something else/ }],
  [
    "a memory that was changed",
    (lines) => lines.with(5, (lines[5] ?? "").replace("nginx", "nobody")),
    { line: 452, reason: /something else/ },
  ],
  ["an end that is missing", (lines) => lines.slice(0, -1), { line: 452, reason: /cut short/ }],
  ["something after the end", (lines) => [...lines, line], { line: 453, reason: /after the end/ }],
  ["another kind of file", (lines) => lines.slice(1), { line: 1, reason: /not the first line/ }],
];
test.each(wrong)("%s: refused with its number, and nothing is written", async (_, change, { line: number, reason }) => {
  const from = await exported();
  const to = machine();
  const lines = change(from.text.trimEnd().split("\n"));
  writeFileSync(join(importsIn(to.folder), "bad"), zstdCompressSync(`${lines.join("\n")}\n`));
  const answer = await to.upkeep.import("bad");
  expect(answer).toMatchObject({ written: 0, refused_lines: 1, refused: [{ line: number }] });
  expect(answer.refused[0]?.reason).toMatch(reason);
  expect(to.keeper.parts.longterm.stats(0).memories).toBe(0);
});

test("a file that is missing, or damaged as a whole, is said", async () => {
  const to = machine();
  const failure = async (name: string): Promise<string> => String(await to.upkeep.import(name).catch((error: unknown) => error));
  expect(await failure("none")).toContain("copy it there first");
  const from = await exported();
  const bytes = readFileSync(join(exportsIn(from.folder), "all.jsonl.zst"));
  bytes.fill(0x5a, 2000, 2100);
  writeFileSync(join(importsIn(to.folder), "damaged"), bytes);
  expect(await failure("damaged")).toContain('"import" failed');
  expect(to.keeper.parts.longterm.stats(0).memories).toBe(0);
});
