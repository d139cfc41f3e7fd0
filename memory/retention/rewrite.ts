/**
 * A cold segment that holds deleted memories is written anew without them. At every moment it is one or the other, whenever it
 * is killed:
 *
 *   written     the helper has written, flushed and read back `segments/<into>.seg`, a file that memory.db does not know: killed
 *               here, all that it holds is known, and it goes (upkeep/recover/adopt.ts)
 *   committed   in one transaction its memories are those of the new file, and the number of the old one is noted as gone
 *   removed     killed before that, the old file goes at the next start; it is never read again
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Job, JobResults } from "../../contracts/memory/job.ts";
import { openReadOnly } from "../../wire/database.ts";
import { memory_file } from "../store/migrations.ts";
import { segmentFile, segmentsIn } from "../upkeep/folders.ts";
import { readAll } from "../upkeep/read-all.ts";
import { Cold } from "../upkeep/segments/cold.ts";
import { register } from "../upkeep/segments/move.ts";
import { writeSegment } from "../upkeep/segments/write.ts";

/**
 * In the helper. @param onWhole called before the new file gets its name
 * @returns null when nothing of it is held any more @throws when something of it cannot be read
 */
export function rewriteSegment({ folder, segment, into }: Extract<Job, { do: "rewrite" }>, onWhole: () => void): JobResults["rewrite"] {
  const db = openReadOnly(join(folder, memory_file.file));
  const cold = new Cold(db, folder);
  try {
    return db.transaction(() => {
      const seqs: number[] = [];
      const times: number[] = [];
      const memories = readAll(
        db,
        { cold, segment },
        ({ seq, time_ms }) => {
          seqs.push(seq);
          times.push(time_ms);
        },
        (id) => {
          throw new Error(
            `writing segment ${segment} anew failed: "${id}" cannot be read: ${cold.damaged.get(segment) ?? "its row is damaged"}`,
          );
        },
      );
      const path = join(segmentsIn(folder), segmentFile(into));
      const { bytes, plain_bytes, sha256 } = writeSegment(path, memories, onWhole);
      if (seqs.length === 0) {
        rmSync(path);
        return null;
      }
      const ends = times.sort((a, b) => a - b);
      return { seqs, oldest_ms: ends[0] ?? 0, newest_ms: ends.at(-1) ?? 0, bytes, plain_bytes, sha256 };
    })();
  } finally {
    cold.close();
    db.close();
  }
}

export class Rewritten {
  readonly #db: Sqlite.Database;

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** Segments of which something was deleted, the fullest of it first. */
  wanted(): number[] {
    const rows = this.#db.prepare<[], { id: number }>("SELECT id FROM segments WHERE deleted > 0 ORDER BY deleted DESC, id").all();
    return rows.map(({ id }) => id);
  }

  /** Numbers that are gone. */
  known(): number[] {
    return this.#db
      .prepare<[], { id: number }>("SELECT id FROM segments_gone")
      .all()
      .map(({ id }) => id);
  }

  /** Inside the caller's transaction. @throws when something of the old one is not in the new one */
  exchange(segment: number, into: number, written: JobResults["rewrite"], made_ms: number): void {
    if (written !== null) {
      const { seqs, ...file } = written;
      register(this.#db, { segment: into, made_ms, memories: seqs.length, ...file });
      this.#db
        .prepare("UPDATE memories SET segment = ? WHERE segment = ? AND seq IN (SELECT value FROM json_each(?))")
        .run(into, segment, JSON.stringify(seqs));
    }
    const left = this.#db.prepare<[number], { n: number }>("SELECT count(*) AS n FROM memories WHERE segment = ?").get(segment)?.n ?? 0;
    if (left > 0) throw new Error(`writing segment ${segment} anew failed: ${left} of its memories are not in segment ${into}`);
    this.#db.prepare("DELETE FROM segments WHERE id = ?").run(segment);
    this.#db.prepare("INSERT INTO segments_gone (id) VALUES (?)").run(segment);
  }
}
