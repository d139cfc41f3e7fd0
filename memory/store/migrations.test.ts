/** From every older schema, with rows in it: all of them are there, readable and found afterwards; what fails in the middle changes nothing. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { migrate, openFile, openReadOnly, schemaVersion } from "../../wire/database.ts";
import { Keeper } from "../keeper.ts";
import { find } from "../knowledge/find.ts";
import { vectorOf } from "../longterm/testing/hashing-embedder.ts";
import { diskFolder } from "../testing/folder.ts";
import { plainTables } from "../upkeep/backup/database.ts";
import { memory_file, migrations } from "./migrations.ts";
import {
  alarm,
  filled_by,
  later_events,
  old_decisions,
  old_events,
  old_notes,
  page,
  pinned_note,
  quarantined_note,
  vectors_by,
  work,
} from "./testing/old-rows.ts";

setDefaultTimeout(600_000);

const older = Array.from({ length: migrations.length - 1 }, (_, at) => at + 1);

/** Updated step by step up to this schema, and used on each. */
function grown(schema: number): string {
  const folder = join(diskFolder("memory-migration"), "memory");
  mkdirSync(folder, { recursive: true });
  for (let taken = 1; taken <= schema; taken += 1) {
    const db = opened(folder, migrations.slice(0, taken));
    db.transaction(() => filled_by[taken - 1]?.(db, folder))();
    db.close();
  }
  return folder;
}

function opened(folder: string, steps: readonly string[]): Sqlite.Database {
  return openFile(join(folder, memory_file.file), { ...memory_file, migrations: steps });
}

/** Every row of every table but those of indexes, by the columns of `like`. */
function rowsOf(db: Sqlite.Database, like: ReadonlyMap<string, readonly string[]>): Record<string, unknown[]> {
  return Object.fromEntries(
    [...like].map(([table, columns]) => [
      table,
      db
        .prepare(`SELECT ${columns.join(", ")} FROM "${table}"`)
        .raw()
        .all(),
    ]),
  );
}

function columnsOf(db: Sqlite.Database): Map<string, string[]> {
  const names = (table: string): string[] =>
    db
      .prepare<[string], { name: string }>("SELECT name FROM pragma_table_info(?)")
      .all(table)
      .map(({ name }) => name);
  return new Map(plainTables(db).map((table) => [table, names(table)]));
}

test("every schema but the present one has rows of its own", () => {
  expect(filled_by).toHaveLength(older.length);
});

test.each(older)("schema %d: what fails in the middle changes nothing, and then every row is as it was", (schema) => {
  const folder = grown(schema);
  const db = openReadOnly(join(folder, memory_file.file));
  const columns = columnsOf(db);
  const before = rowsOf(db, columns);
  db.close();
  for (const rows of Object.values(before).filter((_, at) => at < 2)) expect(rows.length).toBeGreaterThan(0);
  for (let upto = schema; upto <= migrations.length; upto += 1) {
    expect(() => opened(folder, [...migrations.slice(0, upto), "CREATE TABLE broken ("])).toThrow("incomplete");
    const old = openReadOnly(join(folder, memory_file.file));
    expect([schemaVersion(old), columnsOf(old), rowsOf(old, columns)]).toEqual([schema, columns, before]);
    old.close();
  }
  const now = opened(folder, migrations);
  migrate(now, memory_file);
  expect(schemaVersion(now)).toBe(migrations.length);
  expect(now.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(now.pragma("foreign_key_check")).toEqual([]);
  expect(rowsOf(now, columns)).toEqual(before);
  now.close();
});

test.each(older)("schema %d: everything is read and found by the present version", (schema) => {
  const keeper = new Keeper(grown(schema));
  expect(keeper.degradation).toBeNull();
  while (keeper.write(({ longterm }) => longterm.carryOver(20)) > 0);
  const { store, longterm, working, documents, outcomes, templates, cold } = keeper.parts;
  expect(longterm.check()).toEqual([]);
  const found = (query: string, vector: Float32Array | null = null): string[] =>
    longterm
      .search({ query, mode: vector === null ? "words" : "hybrid", filter: {}, limit: 50, vector, now_ms: 1.7e12 })
      .found.map(({ memory }) => memory.id);
  for (const event of [...old_events, alarm, ...(schema >= 2 ? later_events : [])]) {
    expect(store.event(event.id)).toEqual(event);
    expect(longterm.recall([event.id])[0]?.body).toEqual(JSON.parse(JSON.stringify(event)));
  }
  expect(store.decisionsById(old_decisions.map(({ id }) => id))).toEqual([...old_decisions]);
  expect(found("service console exited")[0]).toBeString();
  expect(outcomes.records(["playbook service-restart"], 9)).toMatchObject(
    schema >= 7 ? [{ tier: "tactical", failed: 1 }, { worked: 1 }] : [{ worked: 1 }],
  );
  if (schema >= 2) {
    const recalled = longterm.recall(old_notes.map(({ id }) => id));
    expect(recalled.map(({ text, body, taint }) => ({ text, body, taint }))).toEqual(
      old_notes.map(({ text, body, taint }) => ({ text, body, taint })),
    );
    expect(recalled[pinned_note]).toMatchObject({ pinned: true, links: [{ relation: "about", to: old_notes[pinned_note - 1]?.id }] });
    expect(recalled[quarantined_note]?.quarantined).toBe("planted");
    for (const n of [0, 5, 33]) {
      const [text, id] = [old_notes[n]?.text ?? "", old_notes[n]?.id ?? ""];
      expect(found(`note ${n}`)).toContain(id);
      expect(longterm.vectors.nearest(vectorOf(text, vectors_by.dimensions), 1)[0]?.cosine).toBeGreaterThan(0.99);
      expect(found(text, vectorOf(text, vectors_by.dimensions))).toContain(id);
    }
  }
  if (schema >= 3) {
    expect([work.goal, work.incident].map((id) => working.items.item(id)?.state)).toEqual(["working", "observing"]);
    expect(working.items.history(work.goal, undefined, 10)).toMatchObject([{ version: 1, who: "tactical" }]);
    expect(working.contexts.of("tactical")).toMatchObject({ version: 3, body: { mind: "the disk" } });
  }
  if (schema >= 4) expect(templates.cursor()).toMatchObject({ seq: 9 });
  if (schema >= 5) {
    expect(documents.version(page.id, 1)?.text).toBe(page.text);
    expect(find(documents.db, { query: "restart", filter: {}, limit: 9, words: true, meaning: null }).map((one) => one.document)).toContain(
      page.id,
    );
  }
  expect([...cold.damaged.values()]).toEqual([]);
  keeper.close();
});
