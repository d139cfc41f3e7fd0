/**
 * From memory.db into segments. A memory is in one place at every moment, whenever it is killed:
 *
 *   written     the helper has written, flushed and read back `segments/<id>.seg`: killed here, the file is one that
 *               memory.db does not know, and all that it holds is still hot (adopt.ts removes it)
 *   committed   in one transaction the rows say which segment they are in and their large parts go: killed here, they are cold
 *
 * What is changed between the helper's look at a row and the transaction stays hot: a trigger of this connection notes it.
 */

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { JobResults } from "../../../contracts/memory/job.ts";
import { syncFolder } from "../../../wire/files.ts";
import { ensure, segmentFile, segmentsIn } from "../folders.ts";

export interface Moved {
  readonly segment: number;
  readonly memories: number;
  readonly bytes: number;
  readonly plain_bytes: number;
}

/** The number of the next segment: above every row, also of those that are gone, and every file. */
export function nextSegment(db: Sqlite.Database, folder: string): number {
  const ids = "SELECT id FROM segments UNION ALL SELECT id FROM segments_gone";
  const known = db.prepare<[], { largest: number | null }>(`SELECT max(id) AS largest FROM (${ids})`).get()?.largest ?? 0;
  const files = readdirSync(ensure(segmentsIn(folder))).map((name) => Number.parseInt(name, 10));
  return 1 + Math.max(known, ...files.filter(Number.isSafeInteger), 0);
}

/** Notes which memories change from now on. */
export function watchChanges(db: Sqlite.Database): void {
  db.exec(`DROP TRIGGER IF EXISTS temp.note_memory; DROP TRIGGER IF EXISTS temp.note_decision;
    CREATE TEMP TABLE IF NOT EXISTS changed (seq INTEGER PRIMARY KEY);
    DELETE FROM temp.changed;
    CREATE TEMP TRIGGER note_memory AFTER UPDATE OF text_id, body ON main.memories BEGIN
      INSERT OR IGNORE INTO changed VALUES (new.seq);
    END;
    CREATE TEMP TRIGGER note_decision AFTER UPDATE OF body ON main.decisions BEGIN
      INSERT OR IGNORE INTO changed SELECT seq FROM main.memories WHERE id = new.id;
    END;`);
}

export function unwatch(db: Sqlite.Database): void {
  db.exec("DROP TRIGGER IF EXISTS temp.note_memory; DROP TRIGGER IF EXISTS temp.note_decision;");
}

/** Inside the caller's transaction. @returns how many memories became cold */
export function takeOut(
  db: Sqlite.Database,
  segment: number,
  { seqs, ...written }: NonNullable<JobResults["cool"]>,
  made_ms: number,
): number {
  const moved = db
    .prepare(
      `UPDATE memories SET segment = ?, body = NULL
       WHERE seq IN (SELECT value FROM json_each(?)) AND segment IS NULL AND seq NOT IN (SELECT seq FROM temp.changed)`,
    )
    .run(segment, JSON.stringify(seqs)).changes;
  if (moved === 0) return 0;
  emptyLargeParts(db, segment);
  closeUp(db, segment);
  register(db, { segment, made_ms, memories: moved, ...written });
  return moved;
}

/**
 * A row that becomes smaller stays alone on its page, and nothing is won: SQLite joins pages when rows go, not when they
 * shrink. So the rows are taken out and put back, which fills pages anew and frees the others.
 */
function closeUp(db: Sqlite.Database, segment: number): void {
  const ids = "SELECT id FROM main.memories WHERE segment = ?";
  for (const table of ["events", "decisions", "memories"]) {
    db.prepare(`CREATE TEMP TABLE moved AS SELECT * FROM main.${table} WHERE id IN (${ids}) ORDER BY seq`).run(segment);
    db.exec(`DELETE FROM main.${table} WHERE seq IN (SELECT seq FROM temp.moved);
      INSERT INTO main.${table} SELECT * FROM temp.moved ORDER BY seq;
      DROP TABLE temp.moved;`);
  }
}

/** Of what is in this segment: its events' and decisions' own form, and texts that nothing hot has. */
export function emptyLargeParts(db: Sqlite.Database, segment: number): void {
  for (const table of ["events", "decisions"]) {
    db.prepare(`UPDATE ${table} SET body = '{}' WHERE id IN (SELECT id FROM memories WHERE segment = ?)`).run(segment);
  }
  db.prepare(
    `UPDATE texts SET text = NULL WHERE id IN (SELECT text_id FROM memories WHERE segment = ?)
     AND NOT EXISTS (SELECT 1 FROM memories hot WHERE hot.text_id = texts.id AND hot.segment IS NULL)`,
  ).run(segment);
}

interface SegmentRow extends Omit<NonNullable<JobResults["cool"]>, "seqs"> {
  readonly segment: number;
  readonly made_ms: number;
  readonly memories: number;
}

export function register(db: Sqlite.Database, row: SegmentRow): void {
  db.prepare(
    `INSERT INTO segments (id, made_ms, memories, oldest_ms, newest_ms, bytes, plain_bytes, sha256)
     VALUES (@segment, @made_ms, @memories, @oldest_ms, @newest_ms, @bytes, @plain_bytes, @sha256)`,
  ).run(row);
}

/** A file of which nothing is cold: all that it holds is in memory.db. */
export function discard(folder: string, segment: number): void {
  rmSync(join(segmentsIn(folder), segmentFile(segment)), { force: true });
  syncFolder(segmentsIn(folder));
}
