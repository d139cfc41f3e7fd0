/** What is held, counted over indexes. */

import type Sqlite from "better-sqlite3";
import type { z } from "zod";
import type { longterm_methods } from "../../contracts/memory/longterm.ts";
import type { Vectors } from "./vectors.ts";

export type Stats = z.infer<(typeof longterm_methods)["stats"]["result"]>;
/** Without what upkeep knows. */
export type Counted = Omit<Stats, "disk">;

export function statsOf(db: Sqlite.Database, vectors: Vectors, bytes: number): Counted {
  const count = (sql: string): number => db.prepare<[], { n: number }>(sql).get()?.n ?? 0;
  const edge = (sql: string): number | null => db.prepare<[], { at: number | null }>(sql).get()?.at ?? null;
  const kinds = db.prepare<[], { kind: string; n: number }>("SELECT kind, count(*) AS n FROM memories GROUP BY kind").all();
  return {
    memories: kinds.reduce((sum, { n }) => sum + n, 0),
    by_kind: Object.fromEntries(kinds.map(({ kind, n }) => [kind, n])),
    oldest_ms: edge("SELECT min(time_ms) AS at FROM memories"),
    newest_ms: edge("SELECT max(time_ms) AS at FROM memories"),
    texts: count("SELECT count(*) AS n FROM texts"),
    vectors: vectors.count,
    model: vectors.model,
    bytes,
    segments: count("SELECT count(*) AS n FROM segments"),
    segment_bytes: count("SELECT coalesce(sum(bytes), 0) AS n FROM segments"),
    quarantined: count("SELECT count(*) AS n FROM memories WHERE quarantined IS NOT NULL"),
    pinned: count("SELECT count(*) AS n FROM memories WHERE pinned = 1"),
    tainted: count("SELECT count(*) AS n FROM memories WHERE taint IS NOT NULL"),
  };
}
