import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Decision } from "../../../contracts/decision.ts";
import { GroupCommit } from "../../group-commit.ts";
import { Keeper } from "../../keeper.ts";
import { wallClock } from "../../testing/clock.ts";
import { diskFolder } from "../../testing/folder.ts";
import { decisionOn, exitedEvent, noteMemory } from "../../testing/records.ts";
import { segmentsIn } from "../folders.ts";
import { Upkeep } from "../upkeep.ts";

// helpers are processes of their own: on a busy machine they take their time
setDefaultTimeout(600_000);

const later = (): number => 1_800_000_000_000;

/** Everything may go cold. */
const all = { older_than_ms: null, keep_newest: 0 } as const;

function withMemories(count: number): { keeper: Keeper; upkeep: Upkeep; folder: string } {
  const folder = join(diskFolder("memory-move"), "memory");
  const keeper = new Keeper(folder);
  keeper.write(({ store, longterm }) => {
    for (let n = 0; n < count; n += 1) longterm.put(noteMemory(n, null));
    for (let n = 0; n < count; n += 1) store.addEvent(exitedEvent(n));
    store.putDecision(decisionOn(exitedEvent(1), 1));
  });
  return { keeper, upkeep: new Upkeep({ keeper, clock: wallClock(later) }), folder };
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => noteMemory(n, null).id);
const everything = (keeper: Keeper) => ({
  memories: keeper.parts.longterm.recall([...ids(300), exitedEvent(7).id, decisionOn(exitedEvent(1), 1).id]),
  events: keeper.store.newestEvents({ limit: 1000, kind: null, service: null }),
  decisions: keeper.store.newestDecisions(10),
});

test("what is cold comes back as it was, is found by word, and memory.db no longer holds it", async () => {
  const { keeper, upkeep, folder } = withMemories(300);
  const before = everything(keeper);
  const segment = await upkeep.move({ ...all, at_least: 1, limit: 10_000 });
  expect(segment).toMatchObject({ id: 1, memories: 601 });
  expect(keeper.parts.upkeep.segments()).toHaveLength(1);
  expect(everything(keeper)).toEqual(before);
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(keeper.parts.longterm.stats(0)).toMatchObject({ memories: 601, segments: 1, segment_bytes: segment?.bytes ?? 0 });
  const question = {
    query: "nginx stopped answering note 77",
    mode: "words",
    filter: {},
    limit: 5,
    vector: null,
    now_ms: later(),
  } as const;
  expect(keeper.parts.longterm.search(question).found[0]?.memory).toEqual(noteRecalled(77));
  // nothing is left to move, and nothing is made of it
  expect(await upkeep.move({ ...all, at_least: 1, limit: 10_000 })).toBeNull();
  expect(readdirSync(segmentsIn(folder))).toEqual(["1.seg"]);
  keeper.close();
  const again = new Keeper(folder);
  expect(everything(again)).toEqual(before);
  again.close();
});

const noteRecalled = (n: number) => ({ ...noteMemory(n, null), pinned: false, quarantined: null, used: 0, useful: 0 });

test("marks on what is cold stay; a change of it brings it back; a text that is said again is there again", async () => {
  const { keeper, upkeep } = withMemories(300);
  await upkeep.move({ ...all, at_least: 1, limit: 10_000 });
  keeper.write(({ longterm, store }) => {
    longterm.pin(ids(1)[0] ?? "", true);
    longterm.put(noteMemory(2, "worked"));
    longterm.put({ ...noteMemory(3, null), id: "0badcafe-other-1", source: "other" });
    store.putDecision(decisionOn(exitedEvent(1), 1, "done"));
  });
  expect(keeper.parts.longterm.recall(ids(4))).toEqual([
    { ...noteRecalled(0), pinned: true },
    noteRecalled(1),
    { ...noteRecalled(2), outcome: "worked" },
    noteRecalled(3),
  ]);
  expect(keeper.parts.longterm.recall(["0badcafe-other-1"])[0]?.text).toBe(noteMemory(3, null).text);
  expect(keeper.store.newestDecisions(1)[0]?.outcome.result).toBe("done");
  expect(keeper.parts.longterm.recall([decisionOn(exitedEvent(1), 1).id])[0]).toMatchObject({ outcome: "worked" });
  expect(keeper.parts.longterm.check()).toEqual([]);
  // what came back goes cold once more
  expect(await upkeep.move({ ...all, at_least: 1, limit: 10_000 })).toMatchObject({ id: 2, memories: 3 });
  expect(keeper.parts.longterm.recall(ids(3))[2]).toMatchObject({ outcome: "worked", text: noteMemory(2, null).text });
  expect(keeper.parts.longterm.check()).toEqual([]);
  keeper.close();
});

test("a person's word against a decision that is cold counts, and leaves it there", async () => {
  const { keeper, upkeep } = withMemories(300);
  const calls = [{ tool: "fs.trash", arguments: {} }];
  const made: Decision = { ...decisionOn(exitedEvent(2), 2, "done"), action: { do: "call", calls } };
  keeper.write(({ store }) => store.putDecision(made));
  await upkeep.move({ ...all, at_least: 1, limit: 10_000 });
  const word = { how: "undone", by: "person:anna", why: "no", time_ms: 1, call: "0badcafe-call-1", tool: "fs.trash" } as const;
  const commit = new GroupCommit({ parts: () => keeper.writable, onWritten: () => {}, onFailed: () => {} });
  await commit.append({ events: [], decisions: [], said: [{ say: "override", decision: made.id, ...word }] });
  expect(keeper.store.decision(made.id)?.outcome).toEqual({ ...made.outcome, result: "overridden", overridden: { ...word, was: "done" } });
  expect(keeper.parts.longterm.recall([made.id])).toMatchObject([{ outcome: "undone" }]);
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(await upkeep.move({ ...all, at_least: 1, limit: 10_000 })).toBeNull();
  await commit.append({ events: [], decisions: [], said: [{ say: "anew", call: word.call }] });
  expect(keeper.store.decision(made.id)).toEqual(made);
  expect(keeper.parts.longterm.recall([made.id])).toMatchObject([{ outcome: "worked" }]);
  keeper.close();
});

test("another move that is wanted meanwhile is refused, and what changed before and after it stays hot all the same", async () => {
  const { keeper, upkeep } = withMemories(300);
  const change = (number: number): void => {
    keeper.write(({ longterm }) => longterm.put({ ...noteMemory(number, null), body: { changed: number } }));
  };
  const moving = upkeep.move({ ...all, at_least: 1, limit: 10_000 });
  change(100);
  await expect(upkeep.move({ ...all, at_least: 1, limit: 10_000 })).rejects.toThrow('"cool" was refused');
  change(200);
  keeper.store.commit(() => keeper.store.putDecision(decisionOn(exitedEvent(1), 1, "done")));
  // all that the segment could hold of an earlier state
  expect(await moving).toMatchObject({ memories: 598 });
  expect(keeper.parts.longterm.recall([ids(101).at(-1) ?? "", ids(201).at(-1) ?? ""]).map(({ body }) => body)).toEqual([
    { changed: 100 },
    { changed: 200 },
  ]);
  expect(keeper.store.newestDecisions(1)[0]?.outcome.result).toBe("done");
  keeper.close();
});

test("what changes while the segment is written stays hot; too little is left where it is", async () => {
  const { keeper, upkeep, folder } = withMemories(300);
  expect(await upkeep.move({ ...all, at_least: 602, limit: 10_000 })).toBeNull();
  expect(await upkeep.move({ ...all, older_than_ms: later() - 1_700_000_050_000, at_least: 1, limit: 10_000 })).toMatchObject({
    id: 1,
    memories: 101,
  });
  const moving = upkeep.move({ ...all, at_least: 1, limit: 10_000 });
  keeper.write(({ longterm }) => longterm.put({ ...noteMemory(200, null), body: { changed: true } }));
  expect(await moving).toMatchObject({ id: 2, memories: 499 });
  expect(keeper.parts.longterm.recall(ids(201)).at(-1)).toMatchObject({ body: { changed: true } });
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(readdirSync(segmentsIn(folder)).sort()).toEqual(["1.seg", "2.seg"]);
  keeper.close();
});

test("a helper whose service is gone gives no segment its name, and what a killed one left goes at the next start", async () => {
  const { keeper, upkeep, folder } = withMemories(300);
  const job = { do: "cool", folder, segment: 1, before_ms: later(), keep_newest: 0, at_least: 1, limit: 10_000 };
  const run = (reader: string) => {
    // its stdin stays open: only its stdout tells that nobody waits for it
    const script = `exec 3>"$4"; { "$1" "$2" "$3" <&0; echo $? >&3; } | ${reader}`;
    const argv = [process.execPath, join(import.meta.dir, "../job-main.ts"), JSON.stringify(job), join(folder, "status")];
    const child = Bun.spawn(["sh", "-c", script, "sh", ...argv], { stdin: "pipe", stdout: "ignore", stderr: "inherit" });
    return child.exited.then(async () => ({ status: (await Bun.file(join(folder, "status")).text()).trim(), stdin: child.stdin }));
  };
  expect(await run("exec true")).toMatchObject({ status: "1" });
  expect(readdirSync(segmentsIn(folder)).filter((name) => name.endsWith(".seg"))).toEqual([]);
  expect(await run("cat")).toMatchObject({ status: "0" });
  expect(readdirSync(segmentsIn(folder)).filter((name) => name.endsWith(".seg"))).toEqual(["1.seg"]);
  writeFileSync(join(segmentsIn(folder), "2.seg.new"), "cut sho");
  await upkeep.recover();
  // what 1.seg holds is in memory.db
  expect(readdirSync(segmentsIn(folder))).toEqual([]);
  expect(keeper.parts.longterm.check()).toEqual([]);
  keeper.close();
});
