/**
 * In the helper: every memory, event and decision that can be read out of a damaged file, and out of the newest backup what
 * is not in that, written into new segments. The service takes those in (adopt.ts).
 */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { Decision } from "../../../contracts/decision.ts";
import { Event } from "../../../contracts/event.ts";
import type { Job, JobResults } from "../../../contracts/memory/job.ts";
import type { Memory, Recalled } from "../../../contracts/memory/record.ts";
import { isDamage, openReadOnly } from "../../../wire/database.ts";
import { loadNative } from "../../../wire/native.ts";
import { memoryOfDecision, memoryOfEvent } from "../../longterm/of-history.ts";
import { linksOf, type WholeRow, whole_columns } from "../../longterm/whole.ts";
import { memory_file } from "../../store/migrations.ts";
import { readManifest } from "../backup/manifest.ts";
import { backupIn, backupsIn, ensure, segmentFile, segmentsIn } from "../folders.ts";
import { memoryOf } from "../read-all.ts";
import { Cold } from "../segments/cold.ts";
import { writeSegment } from "../segments/write.ts";
import { type Keyed, walk } from "./walk.ts";

const segment_memories = 10_000;

/** @param onWhole called before each file gets its name */
export function salvage({ folder, file, segment }: Extract<Job, { do: "salvage" }>, onWhole: () => void): JobResults["salvage"] {
  const ids = new Ids();
  const result = { segments: [] as number[], memories: 0, unreadable: 0 };
  const all = everything(folder, file, ids, () => void result.unreadable++);
  for (let next = all.next(), id = segment; next.done !== true; id += 1) {
    const path = join(ensure(segmentsIn(folder)), segmentFile(id));
    const part = (function* (): Generator<Recalled> {
      for (let n = 0; n < segment_memories && next.done !== true; n += 1) {
        yield next.value;
        next = all.next();
      }
    })();
    result.memories += writeSegment(path, part, onWhole).memories;
    result.segments.push(id);
  }
  return result;
}

/** In a file of its own that SQLite removes: there may be millions. */
class Ids {
  readonly #add: Sqlite.Statement<[string]>;
  readonly #expect: Sqlite.Statement<[string]>;
  readonly #expected: Sqlite.Statement<[string], { one: number }>;

  constructor() {
    const db = new (loadNative("better-sqlite3") as typeof Sqlite)("");
    db.exec("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE expected (id TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#add = db.prepare("INSERT OR IGNORE INTO seen VALUES (?)");
    this.#expect = db.prepare("INSERT OR IGNORE INTO expected VALUES (?)");
    this.#expected = db.prepare("SELECT 1 AS one FROM expected WHERE id = ?");
  }

  expect(id: string): void {
    this.#expect.run(id);
  }

  isExpected(id: string): boolean {
    return this.#expected.get(id) !== undefined;
  }

  isNew(id: string): boolean {
    return this.#add.run(id).changes > 0;
  }
}

/**
 * What is in order in the damaged file comes last, because the order of writing is that of what comes back: what has to be
 * had from elsewhere stands before it, not as if it were the newest. Only what turns out to be broken then comes after it.
 */
function* everything(folder: string, file: string, ids: Ids, onUnreadable: () => void): Generator<Recalled> {
  const name = newestBackup(folder);
  const backup = name === null ? null : openSource(join(backupIn(folder, name), memory_file.file), onUnreadable);
  const damaged = openSource(join(folder, file), onUnreadable);
  const quiet = (): void => {};
  const unexpected = (id: string): boolean => !ids.isExpected(id) && ids.isNew(id);
  const any = (id: string): boolean => ids.isNew(id);
  if (damaged !== null) expectMemories(damaged, ids, quiet);
  if (backup !== null && name !== null) yield* allIn(backup, backupIn(folder, name), unexpected, onUnreadable);
  if (damaged !== null) {
    yield* bothHistories(damaged, unexpected, quiet);
    yield* allIn(damaged, folder, any, onUnreadable);
  }
  if (backup !== null && name !== null) yield* allIn(backup, backupIn(folder, name), any, quiet);
}

function expectMemories(db: Sqlite.Database, ids: Ids, onUnreadable: () => void): void {
  const page = guarded(onUnreadable, () =>
    db.prepare<[number, number], Keyed & { id: string }>("SELECT seq AS key, id FROM memories WHERE seq >= ? ORDER BY seq LIMIT ?"),
  );
  if (page === null) return;
  for (const { id } of walk((from, limit) => page.all(from, limit), onUnreadable)) ids.expect(id);
}

function newestBackup(folder: string): string | null {
  if (!existsSync(backupsIn(folder))) return null;
  const found = readdirSync(backupsIn(folder)).flatMap((name) => {
    try {
      return name.startsWith(".") ? [] : [{ name, made_ms: readManifest(backupIn(folder, name)).made_ms }];
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => b.made_ms - a.made_ms)[0]?.name ?? null;
}

/** @returns null when not even its schema can be read */
function openSource(path: string, onUnreadable: () => void): Sqlite.Database | null {
  try {
    const db = openReadOnly(path);
    db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
    return db;
  } catch {
    onUnreadable();
    return null;
  }
}

function* allIn(db: Sqlite.Database, folder: string, isNew: (id: string) => boolean, onUnreadable: () => void): Generator<Recalled> {
  yield* memoriesIn(db, folder, isNew, onUnreadable);
  yield* bothHistories(db, isNew, onUnreadable);
}

function* bothHistories(db: Sqlite.Database, isNew: (id: string) => boolean, onUnreadable: () => void): Generator<Recalled> {
  yield* historyIn(db, "events", (body) => ofEvent(body), isNew, onUnreadable);
  yield* historyIn(db, "decisions", (body) => ofDecision(body), isNew, onUnreadable);
}

function* memoriesIn(db: Sqlite.Database, folder: string, isNew: (id: string) => boolean, onUnreadable: () => void): Generator<Recalled> {
  const parts = guarded(onUnreadable, () => {
    const keys = db.prepare<[number, number], Keyed & { segment: number | null }>(
      "SELECT seq AS key, segment FROM memories WHERE seq >= ? ORDER BY seq LIMIT ?",
    );
    const row = db.prepare<[number], WholeRow>(`SELECT ${whole_columns} FROM memories m JOIN texts t ON t.id = m.text_id WHERE m.seq = ?`);
    return { keys, row, cold: new Cold(db, folder), links: linksOf(db) };
  });
  if (parts === null) return;
  const { keys, row, cold, links } = parts;
  for (const { key, segment } of walk((from, limit) => keys.all(from, limit), onUnreadable)) {
    const found = guarded(onUnreadable, () => row.get(key));
    // what is cold is in its segment, which is taken in by itself, unless marks were set since
    if (found === null || found === undefined) continue;
    const memory = guarded(onUnreadable, () => memoryOf(found, guarded(onUnreadable, () => links(found.id)) ?? [], cold));
    if (memory === null) continue;
    if (segment !== null && sameMarks(memory, cold.read(segment, memory.id))) continue;
    if (isNew(memory.id)) yield memory;
  }
}

function sameMarks(now: Recalled, then: Recalled | null): boolean {
  const of = ({ pinned, quarantined, used, useful, outcome }: Recalled): string =>
    JSON.stringify([pinned, quarantined, used, useful, outcome]);
  return then !== null && of(now) === of(then);
}

/** Events and decisions whose memory cannot be read, or was not there yet. */
function* historyIn(
  db: Sqlite.Database,
  table: "events" | "decisions",
  toMemory: (body: Memory["body"]) => Memory | null,
  isNew: (id: string) => boolean,
  onUnreadable: () => void,
): Generator<Recalled> {
  const page = guarded(onUnreadable, () =>
    db.prepare<[number, number], Keyed & { body: string }>(
      `SELECT seq AS key, body FROM ${table} WHERE seq >= ? AND body <> '{}' ORDER BY seq LIMIT ?`,
    ),
  );
  if (page === null) return;
  for (const { body } of walk((from, limit) => page.all(from, limit), onUnreadable)) {
    const memory = guarded(onUnreadable, () => toMemory(JSON.parse(body)));
    if (memory !== null && isNew(memory.id)) yield { ...memory, pinned: false, quarantined: null, used: 0, useful: 0 };
  }
}

function ofEvent(body: Memory["body"]): Memory | null {
  const event = Event.safeParse(body);
  return event.success ? { ...memoryOfEvent(event.data), body } : null;
}

function ofDecision(body: Memory["body"]): Memory | null {
  const decision = Decision.safeParse(body);
  return decision.success ? { ...memoryOfDecision(decision.data), body } : null;
}

/** @returns null when it meets a broken page, or text that is broken */
function guarded<T>(onUnreadable: () => void, work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!isDamage(error) && !(error instanceof SyntaxError) && !isMissingTable(error)) throw error;
    onUnreadable();
    return null;
  }
}

/** A file of an older schema, or one whose schema is broken, does not have all tables. */
function isMissingTable(error: unknown): boolean {
  return error instanceof Error && /no such (table|column)/.test(error.message);
}
