/** What upkeep keeps in memory.db itself: segments, what was recovered. What writes runs inside the caller's transaction. */

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { JobResults } from "../../contracts/memory/job.ts";
import type { Recalled } from "../../contracts/memory/record.ts";
import type { Segment } from "../../contracts/memory/upkeep.ts";
import type { LongTerm } from "../longterm/longterm.ts";
import { Rewritten } from "../retention/rewrite.ts";
import type { Store } from "../store/store.ts";
import { bytesOf, sha256Of } from "./backup/files.ts";
import { ensure, segmentFile, segmentsIn, unfinished } from "./folders.ts";
import { adopt, type Bases, basesBelow } from "./recover/adopt.ts";
import { discard, emptyLargeParts, nextSegment, register, takeOut, unwatch, watchChanges } from "./segments/move.ts";

export class UpkeepRows {
  readonly #db: Sqlite.Database;
  readonly #folder: string;
  readonly #rewritten: Rewritten;

  constructor(db: Sqlite.Database, folder: string) {
    this.#db = db;
    this.#folder = folder;
    this.#rewritten = new Rewritten(db);
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

  /** Numbers of segment files that no row knows, newest first. Those that were written anew without what was deleted go. */
  unknownSegments(): number[] {
    const known = new Set(this.segments().map(({ id }) => id));
    for (const id of this.#rewritten.known()) {
      if (known.has(id)) continue;
      known.add(id);
      if (existsSync(join(segmentsIn(this.#folder), segmentFile(id)))) discard(this.#folder, id);
    }
    return readdirSync(ensure(segmentsIn(this.#folder)))
      .flatMap((name) => (/^[1-9][0-9]{0,8}\.seg$/.test(name) ? [Number.parseInt(name, 10)] : []))
      .filter((id) => !known.has(id))
      .sort((a, b) => b - a);
  }

  /** Segments that a helper was writing when it was killed. Only while none is being written. */
  dropUnfinished(): void {
    const left = readdirSync(ensure(segmentsIn(this.#folder))).filter((name) => name.endsWith(unfinished));
    for (const name of left) rmSync(join(segmentsIn(this.#folder), name), { force: true });
  }

  basesBelow(count: number): Bases {
    return basesBelow(this.#db, count);
  }

  /** The last first, as the blocks of the segment. @param from the place of the first in it @returns how many of them were not there */
  adopt(
    parts: { readonly store: Store; readonly longterm: LongTerm },
    records: readonly Recalled[],
    segment: number,
    bases: Bases,
    from: number,
  ): number {
    const last = from + records.length - 1;
    return records.toReversed().filter((record, n) => adopt(this.#db, parts, record, { segment, bases, place: last - n })).length;
  }

  /** Ends an adoption. @returns how many memories are in this segment; with none its file is not needed */
  adopted(segment: number, path: string, plain_bytes: number, made_ms: number): number {
    const range = this.#db
      .prepare<[number], { memories: number; oldest_ms: number | null; newest_ms: number | null }>(
        "SELECT count(*) AS memories, min(time_ms) AS oldest_ms, max(time_ms) AS newest_ms FROM memories WHERE segment = ?",
      )
      .get(segment);
    if (range === undefined || range.oldest_ms === null || range.newest_ms === null) return 0;
    emptyLargeParts(this.#db, segment);
    const { memories, oldest_ms, newest_ms } = range;
    register(this.#db, { segment, made_ms, memories, oldest_ms, newest_ms, bytes: bytesOf(path), plain_bytes, sha256: sha256Of(path) });
    return memories;
  }

  recovered(source: string): boolean {
    return this.#db.prepare("SELECT 1 FROM recovered WHERE source = ?").get(source) !== undefined;
  }

  noteRecovered(source: string, finished_ms: number, read: number, added: number, unreadable: number): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO recovered (source, finished_ms, read, added, unreadable) VALUES (?, ?, ?, ?, ?)")
      .run(source, finished_ms, read, added, unreadable);
  }

  /** Empties the write-ahead log into the file, as far as there is room: the log is small then, and a transaction fits again. */
  emptyLog(): void {
    this.#db.pragma("wal_checkpoint(TRUNCATE)");
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
