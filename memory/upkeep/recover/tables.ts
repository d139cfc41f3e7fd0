/**
 * Copies the tables that are small out of a damaged file into the new one that was just begun, before anything else is
 * written to it: so they keep their own numbers. Memories, events and decisions come back in the background.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { isDamage, openReadOnly } from "../../../wire/database.ts";
import { plainTables } from "../backup/database.ts";
import { type Keyed, walk } from "./walk.ts";

/** Made anew by those whose they are, or recovered in the background (salvage.ts). */
const not_copied: ReadonlySet<string> = new Set([
  "events",
  "decisions",
  "memories",
  "texts",
  "vectors",
  "embedders",
  "carry_over",
  "segments",
  "segments_gone",
  "deleted",
  "recovered",
  "recent_metrics",
]);

/** Damaged files that are kept in memory's folder, newest first. */
export function damagedFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("memory-damaged-") && name.endsWith(".db"))
    .sort()
    .reverse();
}

/** @returns how many rows came back. Never throws for what is broken: that is left. */
export function recoverTables(db: Sqlite.Database, folder: string): number {
  const done = db.prepare<[string], { source: string }>("SELECT source FROM recovered WHERE source = ?");
  const note = db.prepare("INSERT INTO recovered (source, finished_ms, read, added, unreadable) VALUES (?, ?, ?, ?, ?)");
  let copied = 0;
  for (const file of damagedFiles(folder)) {
    const source = `tables of ${file}`;
    if (done.get(source) !== undefined) continue;
    db.pragma("foreign_keys = OFF");
    db.transaction(() => {
      const { rows, unreadable } = copyFrom(db, join(folder, file));
      copied += rows;
      // what they tell of had numbers of that file
      db.exec("UPDATE tombstones SET numbering = numbering + 1");
      note.run(source, Date.now(), rows, rows, unreadable);
    }).immediate();
    db.pragma("foreign_keys = ON");
  }
  return copied;
}

function copyFrom(db: Sqlite.Database, path: string): { rows: number; unreadable: number } {
  const total = { rows: 0, unreadable: 0 };
  let source: Sqlite.Database;
  try {
    source = openReadOnly(path);
  } catch {
    return { rows: 0, unreadable: 1 };
  }
  try {
    const there = plainTables(source);
    for (const table of plainTables(db)) {
      if (not_copied.has(table) || !there.includes(table)) continue;
      total.rows += copyTable(db, source, table, () => void total.unreadable++);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    total.unreadable += 1;
  } finally {
    source.close();
  }
  return total;
}

interface Column {
  readonly name: string;
}

function copyTable(db: Sqlite.Database, source: Sqlite.Database, table: string, onUnreadable: () => void): number {
  const columnsOf = (of: Sqlite.Database): string[] =>
    of
      .prepare<[], Column>(`PRAGMA table_info("${table}")`)
      .all()
      .map(({ name }) => name);
  const there = columnsOf(source);
  const columns = columnsOf(db).filter((name) => there.includes(name));
  const list = columns.map((name) => `"${name}"`).join(", ");
  const insert = db.prepare(`INSERT OR IGNORE INTO "${table}" (${list}) VALUES (${columns.map(() => "?").join(", ")})`);
  let copied = 0;
  const take = (row: unknown[]): void => {
    copied += insert.run(row).changes;
  };
  if (withoutRowid(source, table)) fromBothEnds(source, table, list, take, onUnreadable);
  else byRowid(source, table, list, take, onUnreadable);
  return copied;
}

function withoutRowid(db: Sqlite.Database, table: string): boolean {
  const row = db.prepare<[string], { wr: number }>("SELECT wr FROM pragma_table_list WHERE name = ? AND schema = 'main'").get(table);
  return row?.wr === 1;
}

function byRowid(db: Sqlite.Database, table: string, list: string, take: (row: unknown[]) => void, onUnreadable: () => void): void {
  const page = db
    .prepare<[number, number], unknown[]>(`SELECT rowid, ${list} FROM "${table}" WHERE rowid >= ? ORDER BY rowid LIMIT ?`)
    .raw();
  const read = (from: number, limit: number): (Keyed & { row: unknown[] })[] =>
    page.all(from, limit).map(([key, ...row]) => ({ key: Number(key), row }));
  for (const { row } of walk(read, onUnreadable)) take(row);
}

/** A table whose key is no number: from its beginning to the first broken page, and from its end back to the last. */
function fromBothEnds(db: Sqlite.Database, table: string, list: string, take: (row: unknown[]) => void, onUnreadable: () => void): void {
  const keys = db.prepare<[], { name: string }>(`SELECT name FROM pragma_table_info('${table}') WHERE pk > 0 ORDER BY pk`).all();
  for (const order of ["ASC", "DESC"]) {
    const by = keys.map(({ name }) => `"${name}" ${order}`).join(", ");
    try {
      for (const row of db.prepare<[], unknown[]>(`SELECT ${list} FROM "${table}" ORDER BY ${by}`).raw().iterate()) take(row);
      return;
    } catch (error) {
      if (!isDamage(error)) throw error;
      onUnreadable();
    }
  }
}
