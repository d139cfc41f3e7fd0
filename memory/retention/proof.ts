/** Proves that rows are only missing where a tombstone says so. Reads all of it: a part of LongTerm.check(). */

import type Sqlite from "better-sqlite3";
import { numbered, Tombstones } from "./tombstones.ts";

/** @returns what does not agree; empty when all is well */
export function unproven(db: Sqlite.Database): string[] {
  const gone = { memories: new Set<number>(), events: new Set<number>(), decisions: new Set<number>() };
  for (const seqs of new Tombstones(db).all()) for (const what of numbered) for (const seq of seqs[what]) gone[what].add(seq);
  return numbered.flatMap((what) => {
    const seqs = db.prepare<[], { seq: number }>(`SELECT seq FROM ${what} ORDER BY seq`).all();
    const risen = seqs.filter(({ seq }) => gone[what].has(seq)).length;
    const largest = Math.max(0, seqs.at(-1)?.seq ?? 0);
    const told = [...gone[what]].filter((seq) => seq >= 1).length;
    const missing = largest - seqs.filter(({ seq }) => seq >= 1).length - told;
    const counted = db.prepare<[string], { rows: number }>("SELECT rows FROM deleted WHERE what = ?").get(what)?.rows ?? 0;
    return [
      ...(risen === 0 ? [] : [`${risen} ${what} that a tombstone says were deleted`]),
      ...(missing === 0 ? [] : [`${missing} ${what} missing without a tombstone`]),
      ...(counted === gone[what].size ? [] : [`${counted} ${what} counted as deleted, and ${gone[what].size} in tombstones`]),
    ];
  });
}
