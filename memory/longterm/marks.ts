/** What people and tiers say about a memory: pinned, used, useful. Each runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";

/** @returns what it was, or null when there is no such memory */
export function pin(db: Sqlite.Database, id: string, pinned: boolean): boolean | null {
  const was = db.prepare<[string], { pinned: number }>("SELECT pinned FROM memories WHERE id = ?").get(id);
  if (was === undefined) return null;
  db.prepare("UPDATE memories SET pinned = ? WHERE id = ?").run(pinned ? 1 : 0, id);
  return was.pinned === 1;
}

/** @param worked null: a decision uses them now; true: one that used them worked; false: it did not, which counts as not useful */
export function used(db: Sqlite.Database, ids: readonly string[], worked: boolean | null): void {
  if (worked === false) return;
  const change = worked === null ? "used = used + 1" : "useful = min(used, useful + 1)";
  const update = db.prepare(`UPDATE memories SET ${change} WHERE id = ?`);
  for (const id of new Set(ids)) update.run(id);
}
