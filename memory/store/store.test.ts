import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, openFile, schemaVersion } from "../../wire/database.ts";
import { diskFolder } from "../testing/folder.ts";
import { boot, decisionOn, exitedEvent, stepEvent } from "../testing/records.ts";
import { memory_file, migrations } from "./migrations.ts";
import { type OpenDatabase, openDatabase } from "./open.ts";
import { Store } from "./store.ts";

const newFolder = (): string => diskFolder("memory");
const time = (): Date => new Date("2026-01-02T03:04:05.678Z");

function filled(folder: string): OpenDatabase {
  const open = openDatabase(folder);
  const store = new Store(open.db);
  store.commit(() => [1, 2, 3].map((n) => store.addEvent(exitedEvent(n))));
  return open;
}

test("what was written is there after closing and opening again", () => {
  const folder = newFolder();
  filled(folder).db.close();
  const open = openDatabase(folder);
  expect(open).toMatchObject({ persistent: true, degradation: null, kept_aside: 0 });
  expect(open.db.pragma("synchronous", { simple: true })).toBe(2);
  expect(open.db.pragma("journal_mode", { simple: true })).toBe("wal");
  const store = new Store(open.db);
  expect(store.events).toBe(3);
  expect(store.newestEvents({ limit: 2, kind: null, service: null })).toEqual([exitedEvent(2), exitedEvent(3)]);
});

test("an event with a known id is not written twice; a decision with a known id takes the new outcome", () => {
  const store = new Store(openDatabase(newFolder()).db);
  const event = exitedEvent(1);
  expect(store.commit(() => [store.addEvent(event), store.addEvent(event)])).toEqual([true, false]);
  store.commit(() => store.putDecision(decisionOn(event, 1)));
  store.commit(() => store.putDecision(decisionOn(event, 1, "done")));
  expect(store.newestDecisions(10).map((decision) => decision.outcome.result)).toEqual(["done"]);
  expect([store.events, store.decisions]).toEqual([1, 1]);
});

test("lists filter by kind and by service", () => {
  const store = new Store(openDatabase(newFolder()).db);
  store.commit(() => [exitedEvent(1, "console"), stepEvent(2), exitedEvent(3, "broker")].map((event) => store.addEvent(event)));
  const ids = (kind: string | null, service: string | null) => store.newestEvents({ limit: 9, kind, service }).map((event) => event.id);
  expect(ids("clock.step", null)).toEqual([`${boot}-init-2`]);
  expect(ids(null, "broker")).toEqual([`${boot}-init-3`]);
  expect(ids("clock.step", "broker")).toEqual([]);
  expect(ids("' OR 1=1 --", null)).toEqual([]);
});

test("an answer stays below a frame however large the events are", () => {
  const store = new Store(openDatabase(newFolder()).db);
  const large = (n: number) => ({ ...stepEvent(n), untrusted: "x".repeat(4000) });
  store.commit(() => Array.from({ length: 200 }, (_, n) => store.addEvent(large(n))));
  const events = store.newestEvents({ limit: 200, kind: null, service: null });
  expect(JSON.stringify(events).length).toBeLessThan(256 * 1024);
  expect(events.at(-1)?.id).toBe(`${boot}-init-199`);
});

test("a schema from the future is refused and its file not touched", () => {
  const folder = newFolder();
  const open = filled(folder);
  open.db.pragma(`user_version = ${migrations.length + 1}`);
  open.db.close();
  const before = readFileSync(join(folder, "memory.db"));
  const again = openDatabase(folder, null, time);
  expect(again.persistent).toBe(false);
  expect(again.degradation).toContain(`its schema is ${migrations.length + 1}`);
  expect(again.degradation).toContain("boot the version that wrote it");
  new Store(again.db).commit(() => true);
  again.db.close();
  expect(readFileSync(join(folder, "memory.db")).equals(before)).toBe(true);
});

test("a migration happens whole or not at all, from every older schema", () => {
  const steps = [...migrations, "ALTER TABLE events ADD COLUMN extra TEXT", "CREATE TABLE more (id TEXT) STRICT"];
  for (let taken = 1; taken < steps.length; taken += 1) {
    const db = openFile(join(newFolder(), "memory.db"), { ...memory_file, migrations: steps.slice(0, taken) });
    expect(() => migrate(db, { ...memory_file, migrations: [...steps, "CREATE TABLE broken ("] })).toThrow("incomplete");
    expect(schemaVersion(db)).toBe(taken);
    expect(db.pragma("table_list(more)")).toHaveLength(taken === steps.length ? 1 : 0);
    migrate(db, { ...memory_file, migrations: steps });
    expect(schemaVersion(db)).toBe(steps.length);
  }
});

const damages: readonly [string, (bytes: Buffer) => Buffer][] = [
  ["a broken header", (bytes) => Buffer.concat([Buffer.alloc(100, 0xff), bytes.subarray(100)])],
  ["a broken page", (bytes) => Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(4096, 0xa5), bytes.subarray(8192)])],
  ["a file cut short", (bytes) => bytes.subarray(0, 5000)],
  ["something else", () => Buffer.from("this is not a database, but long enough to look at ".repeat(100))],
];
test.each(damages)("%s: kept aside as it was, a new memory is begun", (_, damage) => {
  const folder = newFolder();
  filled(folder).db.close();
  const broken = damage(readFileSync(join(folder, "memory.db")));
  writeFileSync(join(folder, "memory.db"), broken);
  const open = openDatabase(folder, null, time);
  const kept = join(folder, "memory-damaged-20260102T030405.678Z.db");
  expect(open).toMatchObject({ persistent: true, kept_aside: 1 });
  expect(open.degradation).toContain(kept);
  expect(readFileSync(kept).equals(broken)).toBe(true);
  const store = new Store(open.db);
  expect(store.commit(() => store.addEvent(exitedEvent(1)))).toBe(true);
  open.db.close();
  expect(openDatabase(folder, null, time).degradation).toBeNull();
});

test("a foreign database is kept aside", () => {
  const folder = newFolder();
  const open = filled(folder);
  open.db.pragma("application_id = 7");
  open.db.close();
  expect(openDatabase(folder, null, time).degradation).toContain("not a memory of this system");
});

test("a folder that cannot be made, or a file where it should be: memory in RAM, said", () => {
  const folder = newFolder();
  writeFileSync(join(folder, "file"), "");
  const open = openDatabase(join(folder, "file", "memory"));
  expect(open).toMatchObject({ path: null, persistent: false });
  expect(open.degradation).toContain("memory is in RAM only");
  const store = new Store(open.db);
  expect(store.commit(() => store.addEvent(exitedEvent(1)))).toBe(true);
});

test("an empty file is a memory that was not yet begun", () => {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "memory.db"), "");
  expect(openDatabase(folder).degradation).toBeNull();
  expect(readdirSync(folder).some((name) => name.startsWith("memory-damaged"))).toBe(false);
});
