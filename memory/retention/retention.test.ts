/** Deleting by rule: what goes, what stays, and the proof of it. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Memory } from "../../contracts/memory/record.ts";
import type { RetentionFilter } from "../../contracts/memory/retention.ts";
import type { WorkChange } from "../../contracts/memory/working/changes.ts";
import { openReadOnly } from "../../wire/database.ts";
import { Keeper } from "../keeper.ts";
import { parseDocumentOf } from "../knowledge/document.ts";
import { testClock, wallClock } from "../testing/clock.ts";
import { diskFolder } from "../testing/folder.ts";
import { boot, decisionOn, exitedEvent, noteMemory } from "../testing/records.ts";
import { segmentsIn } from "../upkeep/folders.ts";
import { Upkeep } from "../upkeep/upkeep.ts";
import { keep_newest } from "./choose.ts";
import { retentionHandlers } from "./handlers.ts";
import { RetentionPass } from "./pass.ts";
import { day_ms } from "./rules.ts";

setDefaultTimeout(120_000);

/** A year after what is old. */
const now_ms = 1_700_000_000_000 + 365 * day_ms;
const old = 300;

/** Long ago `old` notes and events, and a decision with each tenth; then as many fresh notes as are never deleted. */
function filled(name = "memory-retention"): { keeper: Keeper; folder: string } {
  const folder = join(diskFolder(name), "memory");
  const keeper = new Keeper(folder);
  keeper.write(({ store, longterm }) => {
    for (let n = 0; n < old; n += 1) {
      longterm.put(noteMemory(n, null));
      store.addEvent(exitedEvent(n));
      if (n % 10 === 0) store.putDecision(decisionOn(exitedEvent(n), n, "done"));
    }
  });
  fresh(keeper);
  return { keeper, folder };
}

/** Rows of which none is old: of each table one that is the last. */
function fresh(keeper: Keeper): void {
  keeper.write(({ store, longterm }) => {
    for (let n = 0; n < keep_newest; n += 1) longterm.put(freshNote(n));
    store.addEvent({ ...exitedEvent(900_000), time_ms: now_ms });
    store.putDecision({ ...decisionOn(exitedEvent(900_000), 900_000), time_ms: now_ms });
  });
}

const freshNote = (n: number): Memory => ({ ...noteMemory(n, null), id: `${boot}-fresh-${n}`, time_ms: now_ms - 1000, text: "fresh" });

const upkeepOf = (keeper: Keeper, time_ms = now_ms): Upkeep => new Upkeep({ keeper, clock: wallClock(() => time_ms) });
const set = (keeper: Keeper, filter: Partial<RetentionFilter> = {}, time_ms = now_ms): void => {
  const rule = { filter: { older_than_days: 30, ...filter }, by: "person:anna", reason: "the law says so", call: `call-${Math.random()}` };
  keeper.write(({ retention }) => retention.rules.set(rule, time_ms));
};
const ids = (of: (n: number) => string): string[] => Array.from({ length: old }, (_, n) => of(n));
const notes = ids((n) => noteMemory(n, null).id);
const events = ids((n) => exitedEvent(n).id);
const decisions = ids((n) => decisionOn(exitedEvent(n), n).id).filter((_, n) => n % 10 === 0);
const held = (keeper: Keeper, of: readonly string[]): number => of.filter((id) => keeper.parts.longterm.holds(id)).length;
const whole = (keeper: Keeper, folder: string): void => {
  expect(keeper.parts.longterm.check()).toEqual([]);
  const db = openReadOnly(join(folder, "memory.db"));
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  expect([keeper.store.events, keeper.store.decisions]).toEqual(
    ["events", "decisions"].map((table) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get())),
  );
  db.close();
};
const found = (keeper: Keeper, query: string): string[] =>
  keeper.parts.longterm.search({ query, mode: "words", filter: {}, limit: 50, vector: null, now_ms }).found.map(({ memory }) => memory.id);

test("without a rule nothing is ever deleted, however old it is and however often upkeep looks", async () => {
  const { keeper, folder } = filled();
  const upkeep = upkeepOf(keeper, now_ms + 1000 * 365 * day_ms);
  for (let n = 0; n < 3; n += 1) await upkeep.forget();
  await upkeep.tidy();
  await upkeep.forget();
  expect([held(keeper, notes), held(keeper, events), held(keeper, decisions)]).toEqual([old, old, decisions.length]);
  expect(keeper.parts.retention.tombstones.total).toBe(0);
  whole(keeper, folder);
  keeper.close();
});

test("what fits goes with its words and links, and a tombstone tells of it; the rest stays, also after opening again", async () => {
  const { keeper, folder } = filled();
  keeper.write(({ longterm }) => void longterm.link(notes[5] ?? "", { relation: "about", to: notes[6] ?? "" }));
  set(keeper, { kinds: ["note"], severity_max: "notice" });
  await upkeepOf(keeper).forget();
  expect([held(keeper, notes), held(keeper, events), held(keeper, decisions)]).toEqual([0, old, decisions.length]);
  expect(found(keeper, "nginx stopped answering after the update")).toEqual([]);
  expect(found(keeper, "fresh").length).toBeGreaterThan(0);
  whole(keeper, folder);
  const { tombstones, rules } = keeper.parts.retention;
  expect(tombstones.total).toBe(old);
  expect(rules.all()).toMatchObject([{ id: 1, set_by: "person:anna", deleted: old, ended_ms: null }]);
  keeper.close();
  const again = new Keeper(folder);
  whole(again, folder);
  const [told = ""] = found(again, "300 memories were deleted by rule 1 of retention");
  expect(again.parts.longterm.recall([told])[0]).toMatchObject({ source: "memory", body: { rule: 1, memories: old } });
  again.close();
});

test("what was deleted by a process that was killed before it told of it is told by the next one, and once", async () => {
  const { keeper, folder } = filled();
  set(keeper, { kinds: ["note"], severity_max: "notice" });
  const { jobs } = upkeepOf(keeper);
  await new RetentionPass({ keeper, jobs, clock: wallClock(() => now_ms) }).run(new Map(), false);
  expect(held(keeper, notes)).toBe(0);
  const told = (of: Keeper): unknown[] =>
    of.parts.longterm
      .recall(found(of, "memories were deleted by rule of retention"))
      .filter(({ source }) => source === "memory")
      .map(({ body }) => body);
  expect(told(keeper)).toEqual([]);
  keeper.close();
  const again = new Keeper(folder);
  for (const _ of [1, 2]) await upkeepOf(again).forget();
  expect(told(again)).toEqual([{ rule: 1, memories: old }]);
  whole(again, folder);
  again.close();
});

test("a rule speaks of source, tier and severity, and of what is older than it says", async () => {
  const { keeper, folder } = filled();
  set(keeper, { sources: ["reactive"], tiers: ["reactive"], severity_max: "info" });
  await upkeepOf(keeper).forget();
  expect(held(keeper, notes)).toBe(old);
  // those of the first hundred seconds, but for the last of them
  set(keeper, { sources: ["reactive"], kinds: ["note"], older_than_days: 365 }, now_ms + 100_000);
  await upkeepOf(keeper, now_ms + 100_000).forget();
  expect(notes.filter((id) => keeper.parts.longterm.holds(id))).toEqual(notes.slice(100));
  whole(keeper, folder);
  keeper.close();
});

test("what is cold goes too: its segment is written anew without it, and the old file is removed", async () => {
  const { keeper, folder } = filled();
  const upkeep = upkeepOf(keeper);
  await upkeep.move({ older_than_ms: 30 * day_ms, keep_newest: 0, at_least: 1, limit: 20_000 });
  const before = keeper.parts.longterm.recall(events.slice(0, 40));
  set(keeper, { kinds: ["note", "decision"] });
  await upkeep.forget();
  expect(readdirSync(segmentsIn(folder))).toEqual(["2.seg"]);
  expect(keeper.parts.upkeep.segments()).toMatchObject([{ id: 2, memories: old }]);
  expect(keeper.parts.longterm.recall(events.slice(0, 40))).toEqual(before);
  whole(keeper, folder);
  // nothing of it is left: the file goes, and its number is not given again
  set(keeper, { kinds: ["event"] });
  await upkeep.forget();
  expect(readdirSync(segmentsIn(folder))).toEqual([]);
  expect(held(keeper, events)).toBe(0);
  expect(keeper.parts.upkeep.nextSegment()).toBe(3);
  await upkeep.recover();
  whole(keeper, folder);
  keeper.close();
});

test("what a pin, an open incident or a learned playbook rests on stays, and goes when nothing does any more", async () => {
  const { keeper, folder } = filled();
  const [pinned = "", based = "", learned = ""] = [notes[10], notes[11], decisions[4]];
  const facts = { alarm: "service-down", subject: "x", raised: true, value: 9, limit: 5, stood_ms: 0, detail: "" };
  const alarm = { ...exitedEvent(60), kind: "alarm.changed", facts } as const;
  keeper.write(({ longterm, working, documents, store }) => {
    longterm.pin(pinned, true);
    longterm.link(pinned, { relation: "based-on", to: based });
    const body = { key: "k", summary: "k", severity: "error", service: null, events: [exitedEvent(77).id], taint: [] } as const;
    const changes: WorkChange[] = [{ do: "incident", body: { ...body, events: [...body.events], taint: [] } }];
    working.change({ caller: "tactical", actor: "tier" }, { changes, why: "a test", fences: {} }, { boot, boot_ms: 0, time_ms: now_ms });
    const text = `---\ntitle: Learned\nkind: playbook\nsummary: It helped.\n---\n## For tiers\nlearned_from: "${learned}"\n`;
    const read = parseDocumentOf("playbooks/learned-x", text);
    if (!("document" in read)) throw new Error(read.problems.join("; "));
    documents.add(
      "playbooks/learned-x",
      { text, document: read.document },
      { author: "tier:tactical", reason: "it helped", call: null, taint: [], time_ms: now_ms },
    );
    store.putDecision({ ...decisionOn(exitedEvent(60), 60, "done"), rule: "playbook learned-x", trigger: alarm });
  });
  set(keeper);
  await upkeepOf(keeper).forget();
  expect([pinned, based, learned].map((id) => keeper.parts.longterm.holds(id))).toEqual([true, true, true]);
  // those that the two decisions stand on, and the one of the incident
  expect(events.filter((id) => keeper.parts.longterm.holds(id))).toEqual([40, 60, 77].map((n) => exitedEvent(n).id));
  expect([held(keeper, notes), held(keeper, decisions)]).toEqual([2, 2]);
  whole(keeper, folder);
  keeper.write(({ longterm }) => void longterm.pin(pinned, false));
  await upkeepOf(keeper).forget();
  expect([held(keeper, notes), held(keeper, decisions)]).toEqual([0, 2]);
  whole(keeper, folder);
  keeper.close();
});

test("a rule that was ended deletes nothing more", async () => {
  const { keeper } = filled();
  set(keeper);
  keeper.write(({ retention }) => void retention.rules.end(1, "person:anna", now_ms));
  await upkeepOf(keeper).forget();
  expect(held(keeper, notes)).toBe(old);
  keeper.close();
});

test("a clock that is a year ahead for a day makes nothing old; one that stood in the past, neither", async () => {
  const { keeper, folder } = filled();
  const clock = testClock(364 * day_ms);
  keeper.write(({ longterm }) => {
    for (let n = 0; n < 50; n += 1) longterm.put({ ...noteMemory(n, null), id: `${boot}-past-${n}`, time_ms: 0 });
    for (let n = 0; n < keep_newest; n += 1) longterm.put({ ...freshNote(n), id: `${boot}-fresher-${n}` });
  });
  set(keeper, { older_than_days: 400 }, clock.time_ms());
  const upkeep = new Upkeep({ keeper, clock: { ...clock, boot_ms: () => clock.boot_ms(), time_ms: () => clock.time_ms() + 365 * day_ms } });
  clock.now_ms += day_ms;
  await upkeep.forget();
  expect([
    held(keeper, notes),
    held(
      keeper,
      ids((n) => `${boot}-past-${n}`),
    ),
  ]).toEqual([old, 50]);
  expect(keeper.parts.retention.rules.all()[0]?.cutoff_ms).toBe(clock.time_ms() - day_ms - 400 * day_ms + 2 * day_ms);
  whole(keeper, folder);
  keeper.close();
});

test("the preview says what would go, and deletes nothing; the timeline says where something is gone", async () => {
  const { keeper } = filled();
  const upkeep = upkeepOf(keeper);
  keeper.write(({ longterm }) => void longterm.pin(notes[3] ?? "", true));
  const filter = { older_than_days: 30, kinds: ["note" as const] };
  const handlers = retentionHandlers(keeper, upkeep);
  expect(await handlers["retention.preview"]({ filter })).toMatchObject({
    ...{ memories: old - 1, cold: 0, kept: 1, oldest_ms: noteMemory(0, null).time_ms, newest_ms: noteMemory(old - 1, null).time_ms },
  });
  expect(held(keeper, notes)).toBe(old);
  set(keeper, filter);
  await upkeep.forget();
  // a note was written before each event, and a decision after each tenth
  const shown = keeper.parts.longterm.timeline({ around: exitedEvent(25).id, before: 3, after: 2, filter: {} })?.map(({ id }) => id);
  expect(shown).toEqual([22, 23, 24, 25, 26, 27].map((n) => exitedEvent(n).id));
  expect(keeper.parts.retention.gaps(shown ?? [], { earlier: true, later: true })).toEqual([{ rule: 1, memories: 5 }]);
  expect(keeper.parts.retention.gaps(shown ?? [], { earlier: false, later: true })).toEqual([{ rule: 1, memories: 27 }]);
  keeper.close();
});
