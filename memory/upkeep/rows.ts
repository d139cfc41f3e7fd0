/** What upkeep keeps in memory.db itself: segments, rules, what was recovered. What writes runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import type { JobResults } from "../../contracts/memory/job.ts";
import type { Recalled } from "../../contracts/memory/record.ts";
import type { Segment } from "../../contracts/memory/upkeep.ts";
import type { LongTerm } from "../longterm/longterm.ts";
import { discard, nextSegment, takeOut, unwatch, watchChanges } from "./segments/move.ts";

export class UpkeepRows {
  readonly #db: Sqlite.Database;
  readonly #folder: string;

  constructor(db: Sqlite.Database, folder: string) {
    this.#db = db;
    this.#folder = folder;
  }

  nextSegment(): number {
    return nextSegment(this.#db, this.#folder);
  }

  watchChanges(): void {
    watchChanges(this.#db);
  }

  unwatch(): void {
    unwatch(this.#db);
  }

  takeOut(segment: number, written: NonNullable<JobResults["cool"]>, made_ms: number): number {
    return takeOut(this.#db, segment, written, made_ms);
  }

  discard(segment: number): void {
    discard(this.#folder, segment);
  }

  segments(): Segment[] {
    return this.#db.prepare<[], Segment>("SELECT id, memories, oldest_ms, newest_ms, bytes, plain_bytes FROM segments ORDER BY id").all();
  }

  /** A memory that comes from outside; one that is known by its id is left as it is. @returns whether it is new */
  takeIn(longterm: LongTerm, { pinned: _, quarantined, used: __, useful: ___, ...memory }: Recalled): boolean {
    if (longterm.holds(memory.id)) return false;
    longterm.put(memory);
    if (quarantined !== null) this.#db.prepare("UPDATE memories SET quarantined = ? WHERE id = ?").run(quarantined, memory.id);
    return true;
  }

  /** Gives freed pages back to the file system. @returns how many pages */
  shrink(pages_max: number): number {
    const free = (): number => Number(this.#db.pragma("freelist_count", { simple: true }));
    const before = free();
    this.#db.pragma(`incremental_vacuum(${pages_max})`);
    this.#db.pragma("wal_checkpoint(TRUNCATE)");
    return before - free();
  }
}
