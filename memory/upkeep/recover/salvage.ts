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
import { isDamage } from "../../../wire/database.ts";
import { loadNative } from "../../../wire/native.ts";
import { memoryOfDecision, memoryOfEvent } from "../../longterm/of-history.ts";
import { memory_file } from "../../store/migrations.ts";
import { openReadOnly } from "../backup/database.ts";
import { readManifest } from "../backup/manifest.ts";
import { backupIn, backupsIn, ensure, segmentFile, segmentsIn } from "../folders.ts";
import { columns, linksOf, memoryOf, type Row } from "../read-all.ts";
import { Cold } from "../segments/cold.ts";
import { writeSegment } from "../segments/write.ts";
import { type Keyed, walk } from "./walk.ts";

const segment_memories = 10_000;

export function salvage({ folder, file, segment }: Extract<Job, { do: "salvage" }>): JobResults["salvage"] {
  const seen = new (loadNative("better-sqlite3") as typeof Sqlite)("");
  seen.exec("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID");
  const add = seen.prepare("INSERT OR IGNORE INTO seen VALUES (?)");
  const isNew = (id: string): boolean => add.run(id).changes > 0;
  const result = { segments: [] as number[], memories: 0, unreadable: 0 };
  const all = everything(folder, file, isNew, () => void result.unreadable++);
  for (let next = all.next(), id = segment; next.done !== true; id += 1) {
    const path = join(ensure(segmentsIn(folder)), segmentFile(id));
    const part = (function* (): Generator<Recalled> {
      for (let n = 0; n < segment_memories && next.done !== true; n += 1) {
        yield next.value;
        next = all.next();
      }
    })();
    result.memories += writeSegment(path, part).memories;
    result.segments.push(id);
  }
  seen.close();
  return result;
}

function* everything(folder: string, file: string, isNew: (id: string) => boolean, onUnreadable: () => void): Generator<Recalled> {
  yield* readable(join(folder, file), folder, isNew, onUnreadable);
  const backup = newestBackup(folder);
  if (backup !== null) yield* readable(join(backupIn(folder, backup), memory_file.file), backupIn(folder, backup), isNew, onUnreadable);
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

function* readable(path: string, folder: string, isNew: (id: string) => boolean, onUnreadable: () => void): Generator<Recalled> {
  let db: Sqlite.Database;
  try {
    db = openReadOnly(path);
    db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
  } catch {
    onUnreadable();
    return;
  }
  try {
    yield* memoriesIn(db, folder, isNew, onUnreadable);
    yield* historyIn(db, "events", (body) => ofEvent(body), isNew, onUnreadable);
    yield* historyIn(db, "decisions", (body) => ofDecision(body), isNew, onUnreadable);
  } finally {
    db.close();
  }
}

function* memoriesIn(db: Sqlite.Database, folder: string, isNew: (id: string) => boolean, onUnreadable: () => void): Generator<Recalled> {
  const parts = guarded(onUnreadable, () => {
    const keys = db.prepare<[number, number], Keyed & { segment: number | null }>(
      "SELECT seq AS key, segment FROM memories WHERE seq >= ? ORDER BY seq LIMIT ?",
    );
    const row = db.prepare<[number], Row>(`SELECT ${columns} FROM memories m JOIN texts t ON t.id = m.text_id WHERE m.seq = ?`);
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
