/** In the helper: reads what is to become cold, as it is at one moment, and writes it into a segment. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Job, JobResults } from "../../../contracts/memory/job.ts";
import { openReadOnly } from "../../../wire/database.ts";
import { memory_file } from "../../store/migrations.ts";
import { ensure, segmentFile, segmentsIn } from "../folders.ts";
import { readAll } from "../read-all.ts";
import { writeSegment } from "./write.ts";

/** @param onWhole called before the file gets its name @returns null when fewer than `at_least` are old enough */
export function writeCold(job: Extract<Job, { do: "cool" }>, onWhole: () => void): JobResults["cool"] {
  const { folder, segment, before_ms, keep_newest, at_least, limit } = job;
  const db = openReadOnly(join(folder, memory_file.file));
  try {
    return db.transaction(() => {
      const seqs: number[] = [];
      let oldest_ms = Number.POSITIVE_INFINITY;
      let newest_ms = Number.NEGATIVE_INFINITY;
      const memories = readAll(db, { cold: null, before_ms, upto_seq: newestBut(db, keep_newest), limit }, ({ seq, time_ms }) => {
        seqs.push(seq);
        oldest_ms = Math.min(oldest_ms, time_ms);
        newest_ms = Math.max(newest_ms, time_ms);
      });
      const path = join(ensure(segmentsIn(folder)), segmentFile(segment));
      const { bytes, plain_bytes, sha256 } = writeSegment(path, memories, onWhole);
      if (seqs.length < at_least) {
        rmSync(path);
        return null;
      }
      return { seqs, oldest_ms, newest_ms, bytes, plain_bytes, sha256 };
    })();
  } finally {
    db.close();
  }
}

/** The order of writing has next to no gaps. */
function newestBut(db: Sqlite.Database, rows: number): number {
  const newest = db.prepare<[], { seq: number | null }>("SELECT max(seq) AS seq FROM memories").get()?.seq ?? 0;
  return newest - rows;
}
