import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../wire/database.ts";
import { Keeper } from "../../keeper.ts";
import { wallClock } from "../../testing/clock.ts";
import { diskFolder } from "../../testing/folder.ts";
import { decisionOn, exitedEvent, noteMemory } from "../../testing/records.ts";
import { makeBackup } from "../backup/make.ts";
import { segmentsIn } from "../folders.ts";
import { turn } from "../turn.ts";
import { Upkeep } from "../upkeep.ts";
import { walk } from "./walk.ts";

// helpers are processes of their own: on a busy machine they take their time
setDefaultTimeout(600_000);

const now = (): number => 1_800_000_000_000;
const count = 1500;

/** Everything may go cold. */
const all = { older_than_ms: null, keep_newest: 0 } as const;
const wanted = {
  notes: Array.from({ length: count }, (_, n) => noteMemory(n, null)),
  events: Array.from({ length: count }, (_, n) => exitedEvent(n)),
};

/** A memory with notes, events, decisions and a document, closed. */
function filled(): string {
  const folder = join(diskFolder("memory-recover"), "memory");
  const keeper = new Keeper(folder);
  keeper.write(({ store, longterm }) => {
    for (let n = 0; n < count; n += 1) {
      longterm.put(noteMemory(n, null));
      store.addEvent(exitedEvent(n));
      if (n % 10 === 0) store.putDecision(decisionOn(exitedEvent(n), n, "done"));
    }
    longterm.pin(noteMemory(3, null).id, true);
  });
  keeper.close();
  return folder;
}

function damagePages(path: string, pages: readonly number[]): void {
  const fd = openSync(path, "r+");
  for (const page of pages) writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096);
  closeSync(fd);
}

/** Pages that hold rows of these tables: one that leads to others takes all of them with it. */
function pagesOf(path: string, tables: readonly string[]): number[] {
  const db = openReadOnly(path);
  const rows = db
    .prepare<[string], { pageno: number }>(
      "SELECT pageno FROM dbstat WHERE pagetype = 'leaf' AND name IN (SELECT value FROM json_each(?)) ORDER BY random()",
    )
    .all(JSON.stringify(tables));
  db.close();
  return rows.map(({ pageno }) => pageno);
}

async function recovered(folder: string): Promise<Keeper> {
  const keeper = new Keeper(folder);
  await new Upkeep({ keeper, clock: wallClock(now) }).recover();
  return keeper;
}

/** What is there of it, after it was seen that all of this is as it was written. */
function found(keeper: Keeper): { notes: number; events: number } {
  const notes = keeper.parts.longterm.recall(wanted.notes.map(({ id }) => id));
  expect(notes.map(({ id, text, body }) => ({ id, text, body }))).toEqual(
    notes.map(({ id }) => {
      const { text, body } = noteMemory(Number(id.split("-").at(-1)), null);
      return { id, text, body };
    }),
  );
  const events = wanted.events.filter(({ id }) => keeper.store.event(id) !== null);
  expect(events.map(({ id }) => keeper.store.event(id))).toEqual(events);
  expect(keeper.parts.longterm.check()).toEqual([]);
  return { notes: notes.length, events: events.length };
}

/** Three with AIOS_LONG=1. */
const damages = process.env["AIOS_LONG"] === "1" ? 3 : 1;

test("damaged pages at random places: what can be read comes back, as it was, once", async () => {
  for (let round = 0; round < damages; round += 1) {
    const folder = filled();
    const path = join(folder, "memory.db");
    damagePages(path, pagesOf(path, ["memories", "events", "texts", "decisions"]).slice(0, 6));
    const keeper = await recovered(folder);
    const back = found(keeper);
    expect(keeper.degradation).toContain("it is kept as");
    expect(back.notes).toBeGreaterThan(count / 2);
    expect(back.events).toBeGreaterThan(count / 2);
    // a second time there is nothing to do
    await new Upkeep({ keeper, clock: wallClock(now) }).recover();
    expect(found(keeper)).toEqual(back);
    keeper.close();
  }
});

test("with a backup nothing of what it holds is lost, however bad the damage; what came later and can be read is there too", async () => {
  const folder = filled();
  await makeBackup({ do: "backup", folder, name: "nightly", time_ms: 1 });
  const keeper = new Keeper(folder);
  keeper.write(({ longterm }) => longterm.put({ ...noteMemory(1, null), id: "0badcafe-later-1", source: "later" }));
  keeper.close();
  const path = join(folder, "memory.db");
  const all = Math.floor(statSync(path).size / 4096);
  damagePages(
    path,
    Array.from({ length: 60 }, () => 1 + Math.ceil(Math.random() * (all - 1))),
  );
  const again = await recovered(folder);
  expect(found(again)).toEqual({ notes: count, events: count });
  expect(again.store.newestDecisions(1000)).toHaveLength(count / 10);
  expect(again.parts.longterm.recall([noteMemory(3, null).id])[0]?.pinned).toBe(true);
  again.close();
});

test("memory.db is gone: all that is cold comes back from its segments", async () => {
  const folder = filled();
  const keeper = new Keeper(folder);
  const upkeep = new Upkeep({ keeper, clock: wallClock(now) });
  await upkeep.move({ ...all, at_least: 1, limit: 2000 });
  await upkeep.move({ ...all, at_least: 1, limit: 10_000 });
  const before = keeper.store.newestEvents({ limit: 100, kind: null, service: null });
  keeper.close();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, `memory.db${suffix}`), { force: true });
  const again = await recovered(folder);
  expect(found(again)).toEqual({ notes: count, events: count });
  expect(again.store.newestEvents({ limit: 100, kind: null, service: null })).toEqual(before);
  expect(again.parts.upkeep.segments().map(({ id }) => id)).toEqual([1, 2]);
  expect(again.parts.longterm.recall([noteMemory(3, null).id])[0]?.pinned).toBe(true);
  again.close();
});

test("memory.db is gone, and others write while its segments come back: nobody is refused, and what is new stays behind what is old", async () => {
  const folder = filled();
  const first = new Keeper(folder);
  await new Upkeep({ keeper: first, clock: wallClock(now) }).move({ ...all, at_least: 1, limit: 20_000 });
  first.close();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, `memory.db${suffix}`), { force: true });
  const keeper = new Keeper(folder);
  const upkeep = new Upkeep({ keeper, clock: wallClock(now) });
  let over = false;
  const recovering = upkeep.recover().finally(() => {
    over = true;
  });
  let written = 0;
  for (; !over; written += 1) {
    const n = 10_000 + written;
    keeper.write(({ store, longterm }) => {
      longterm.put(noteMemory(n, null));
      store.putDecision(decisionOn(exitedEvent(5), n, "done"));
      store.addEvent(exitedEvent(n));
    });
    await turn();
  }
  await recovering;
  expect(written).toBeGreaterThan(1);
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(keeper.parts.longterm.stats(0).by_kind).toEqual({
    ...{ note: count + written, event: count + written, decision: count / 10 + written },
  });
  const newest = keeper.parts.longterm.timeline({ around: noteMemory(10_000, null).id, before: 3, after: 2, filter: {} });
  expect(newest?.map(({ id }) => id).slice(-3)).toEqual([
    noteMemory(10_000, null).id,
    decisionOn(exitedEvent(5), 10_000).id,
    exitedEvent(10_000).id,
  ]);
  keeper.close();
});

test("a move that was killed before its transaction: its file goes, everything is hot once", async () => {
  const folder = filled();
  const keeper = new Keeper(folder);
  const upkeep = new Upkeep({ keeper, clock: wallClock(now) });
  const job = { do: "cool", folder, segment: 1, before_ms: now(), keep_newest: 0, at_least: 1, limit: 500 } as const;
  expect(await upkeep.jobs.run<"cool">(job)).not.toBeNull();
  expect(readdirSync(segmentsIn(folder))).toEqual(["1.seg"]);
  await upkeep.recover();
  expect(readdirSync(segmentsIn(folder))).toEqual([]);
  expect(found(keeper)).toEqual({ notes: count, events: count });
  keeper.close();
});

test("a table is read around ranges that cannot be, and every row beside them is found", () => {
  const keys = Array.from({ length: 1000 }, (_, n) => n * 3 - 600);
  const broken = (key: number): boolean => (key > 0 && key < 90) || (key >= 300 && key <= 1200) || key === -600;
  const read = (from: number, limit: number): { key: number }[] => {
    const rows = keys.filter((key) => key >= from).slice(0, limit);
    if (rows.some(broken)) throw Object.assign(new Error("malformed"), { code: "SQLITE_CORRUPT" });
    return rows.map((key) => ({ key }));
  };
  let gaps = 0;
  const got = [...walk(read, () => void gaps++)].map(({ key }) => key);
  expect(got).toEqual(keys.filter((key) => !broken(key)));
  expect(gaps).toBe(3);
});
