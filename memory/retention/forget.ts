/** Takes memories out, with all that is of them alone: rows, links, words, vectors. Inside the caller's transaction. */

import { createHash } from "node:crypto";
import type Sqlite from "better-sqlite3";
import type { Vectors } from "../longterm/vectors.ts";
import type { Numbered, Seqs } from "./tombstones.ts";

/** In the place of a text. */
const emptied = "(deleted)";

interface Row {
  readonly seq: number;
  readonly id: string;
  readonly time_ms: number;
  readonly text_id: number;
  readonly segment: number | null;
}

export interface Forgotten {
  readonly seqs: Seqs;
  readonly oldest_ms: number;
  readonly newest_ms: number;
  /** Of `seq id time_ms`, a line each. */
  readonly sha256: string;
}

/**
 * The last row of a table stays, so that its number is not given again. What decisions came to (`outcomes`, `overrides`) and what logs have
 * in common stay too: they are counts. @param seqs of memories @returns null when none of them may go
 */
export function forget(db: Sqlite.Database, vectors: Vectors, wanted: readonly number[]): Forgotten | null {
  const rows = db
    .prepare<[string], Row>(
      `SELECT seq, id, time_ms, text_id, segment FROM memories m WHERE seq IN (SELECT value FROM json_each(?))
       AND seq < (SELECT max(seq) FROM memories)
       AND id NOT IN (SELECT id FROM events ORDER BY seq DESC LIMIT 1) AND id NOT IN (SELECT id FROM decisions ORDER BY seq DESC LIMIT 1)
       ORDER BY seq`,
    )
    .all(JSON.stringify(wanted));
  if (rows.length === 0) return null;
  const ids = JSON.stringify(rows.map(({ id }) => id));
  const seqs = {
    memories: rows.map(({ seq }) => seq),
    events: deleteOwn(db, "events", ids),
    decisions: deleteOwn(db, "decisions", ids),
  };
  db.prepare("DELETE FROM links WHERE from_id IN (SELECT value FROM json_each(?))").run(ids);
  db.prepare("DELETE FROM memories WHERE seq IN (SELECT value FROM json_each(?))").run(JSON.stringify(seqs.memories));
  const note = db.prepare("UPDATE segments SET deleted = deleted + 1 WHERE id = ?");
  for (const { segment } of rows) if (segment !== null) note.run(segment);
  for (const text_id of new Set(rows.map((row) => row.text_id))) forgetText(db, vectors, text_id);
  const hash = createHash("sha256");
  for (const { seq, id, time_ms } of rows) hash.update(`${seq} ${id} ${time_ms}\n`);
  const times = rows.map(({ time_ms }) => time_ms);
  return { seqs, oldest_ms: Math.min(...times), newest_ms: Math.max(...times), sha256: hash.digest("hex") };
}

function deleteOwn(db: Sqlite.Database, table: Exclude<Numbered, "memories">, ids: string): number[] {
  const rows = db
    .prepare<[string], { seq: number }>(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?)) RETURNING seq`)
    .all(ids);
  return rows.map(({ seq }) => seq).sort((a, b) => a - b);
}

/** Of a text that is left with cold memories alone, only what is searched stays here: they have it in their segment. */
function forgetText(db: Sqlite.Database, vectors: Vectors, text_id: number): void {
  const held = db
    .prepare<[number], { hot: number | null }>("SELECT max(segment IS NULL) AS hot FROM memories WHERE text_id = ?")
    .get(text_id)?.hot;
  if (held === 1) return;
  if (held === 0) {
    db.prepare("UPDATE texts SET text = NULL WHERE id = ?").run(text_id);
    return;
  }
  vectors.remove(text_id);
  db.prepare("DELETE FROM words WHERE rowid = ?").run(text_id);
  if (db.prepare("SELECT 1 FROM texts WHERE id > ?").get(text_id) !== undefined) {
    db.prepare("DELETE FROM texts WHERE id = ?").run(text_id);
    return;
  }
  // the last row stays, without what it said: its number is not to be given to another text while a vector of it is being made
  db.prepare("UPDATE texts SET text = ?, hash = randomblob(16) WHERE id = ?").run(emptied, text_id);
  db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)").run(text_id, emptied);
}
