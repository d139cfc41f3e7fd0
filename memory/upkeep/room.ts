/**
 * What a full disk leads to. Nothing is lost: memory compresses itself until there is room again, and when that is not enough,
 * what rules of retention say is deleted then, too: a person has said that it is not needed. Without a rule nothing is.
 *
 *   open     everything is written
 *   making   a write found the disk full. From then on writes are refused at once, so that nobody uses up the room while it
 *            is made; whoever wrote keeps it and tries again. The reserve goes, the write-ahead log is emptied, and memories
 *            move into segments, oldest first: those older than a day, then all but the newest, then all. Then the rules.
 *   stuck    there is nothing left to move or to delete and still no room: writes stay refused, reading and searching go on, and
 *            health says what to do. When there is room, by whatever it came, all is open again; a rule that is set meanwhile, or
 *            has become due, is a reason to try again.
 */

import type { RoomMade } from "../../contracts/memory/upkeep.ts";
import { codeOf } from "../../wire/database.ts";
import type { Keeper } from "../keeper.ts";
import { type Disk, mib } from "./disk.ts";
import type { Cooling } from "./moves.ts";

const day_ms = 86_400_000;
/** What operational memory reads again at a start (memory/operational/recent-log.ts) is moved last. */
const recent_rows = 2000;
const harder: readonly Pick<Cooling, "older_than_ms" | "keep_newest">[] = [
  { older_than_ms: day_ms, keep_newest: recent_rows },
  { older_than_ms: null, keep_newest: recent_rows },
  { older_than_ms: null, keep_newest: 0 },
];
/** Small moves: each needs room for its file and for the log of its transaction. */
const moved_at_once = 120;
/** Fewer are not worth a file. */
const at_least = 10;
/** At once: as many pages may go into the log. */
const shrunk_pages = 64;
const shrinks_max = 100;
/** It is enough when so much is free: of a large disk, and of a small one. */
const enough_bytes = 64 * 1024 * 1024;
const enough_ratio = 1 / 5;
/** Nothing is written with less than this free beside the reserve: without that there would be no way out the next time. */
const needed_bytes = 4 * 1024 * 1024;
const needed_ratio = 1 / 20;

interface RoomOptions {
  readonly keeper: Keeper;
  readonly disk: Disk;
  readonly move: (cooling: Cooling) => Promise<{ readonly memories: number } | null>;
  /** Does what rules of retention say. @returns how many memories were deleted */
  readonly forget: () => Promise<number>;
  readonly time_ms: () => number;
  readonly onMade: (made: RoomMade) => void;
}

export class Room {
  readonly #options: RoomOptions;
  #state: "open" | "making" | "stuck" = "open";
  /** Free when it was stuck: room has come when there is more. */
  #stuck_at_bytes = 0;
  #last: RoomMade | null = null;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get wanted(): boolean {
    return this.#state === "making";
  }

  /** What the last full disk came to. */
  get last(): RoomMade | null {
    return this.#last;
  }

  /** A write was refused because the disk is full. */
  full(): void {
    if (this.#state !== "open") return;
    this.#state = "making";
    this.#options.disk.release();
    this.#options.keeper.refuseWrites(
      "the disk is full: nothing is written while memories are compressed to make room, none is deleted; what is written can be read and searched; keep what is new and try again",
    );
  }

  /** Whether room has come from elsewhere. */
  look(): void {
    if (this.#state !== "stuck") return;
    const needed = this.#needed();
    const { disk } = this.#options;
    if (disk.space.free_bytes >= this.#stuck_at_bytes + needed / 2 && disk.reserve(needed)) this.#open();
  }

  /** There may be something to delete by now. */
  again(): void {
    if (this.#state === "stuck") this.#state = "making";
  }

  /** @throws what is no want of room: it can be begun again */
  async make(): Promise<void> {
    const { disk, time_ms } = this.#options;
    const begin_ms = performance.now();
    const before_bytes = disk.own_bytes;
    this.#giveBack();
    const moved = await this.#moveHarder();
    // room without a move may be what the log gave back, and be gone with the next write: that is believed once
    const enough = disk.reserve(this.#needed()) && (moved.segments > 0 || this.#last?.segments !== 0);
    const deleted = enough ? 0 : await this.#forget();
    const resumed = enough || (deleted > 0 && disk.reserve(this.#needed()));
    const { free_bytes, size_bytes } = disk.space;
    const won_bytes = before_bytes - disk.own_bytes;
    this.#last = { at_ms: time_ms(), took_ms: performance.now() - begin_ms, ...moved, deleted, won_bytes, free_bytes, resumed };
    if (resumed) this.#open();
    else this.#stuck(free_bytes, size_bytes, deleted);
    this.#options.onMade(this.#last);
  }

  async #moveHarder(): Promise<{ memories: number; segments: number }> {
    const moved = { memories: 0, segments: 0 };
    let limit = moved_at_once;
    for (const step of harder) {
      while (!(this.#enough() && moved.segments > 0)) {
        const segment = await this.#move({ ...step, limit, at_least });
        if (segment === "nothing") break;
        if (segment === "no room") {
          limit >>= 2;
          if (limit < at_least) return moved;
          continue;
        }
        moved.memories += segment.memories;
        moved.segments += 1;
        this.#giveBack();
      }
    }
    return moved;
  }

  async #move(cooling: Cooling): Promise<{ readonly memories: number } | "nothing" | "no room"> {
    try {
      return (await this.#options.move(cooling)) ?? "nothing";
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#giveBack();
      return "no room";
    }
  }

  /** What was deleted before there was no room for going on counts: the next look goes on. */
  async #forget(): Promise<number> {
    let deleted = 0;
    try {
      deleted = await this.#options.forget();
    } catch (error) {
      if (!isFull(error)) throw error;
    }
    this.#giveBack();
    return deleted;
  }

  #needed(): number {
    return Math.min(needed_bytes, this.#options.disk.space.size_bytes * needed_ratio);
  }

  #enough(): boolean {
    const { free_bytes, size_bytes } = this.#options.disk.space;
    return free_bytes >= Math.min(enough_bytes, size_bytes * enough_ratio);
  }

  /** The log goes into the file, and the file's empty pages to the disk, as far as there is room for that. */
  #giveBack(): void {
    const { upkeep } = this.#options.keeper.parts;
    try {
      upkeep.emptyLog();
      for (let n = 0; n < shrinks_max && upkeep.shrink(shrunk_pages) > 0; n += 1);
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  #open(): void {
    this.#state = "open";
    this.#options.keeper.refuseWrites(null);
  }

  #stuck(free_bytes: number, size_bytes: number, deleted: number): void {
    this.#state = "stuck";
    this.#stuck_at_bytes = free_bytes;
    this.#options.keeper.refuseWrites(
      `the disk is full and nothing more of memory can be compressed: ${mib(free_bytes)} of ${mib(size_bytes)} are free; nothing is written, and ${deletedBy(deleted)}; what is written can be read and searched; free or enlarge the data partition, or set a rule of retention (memory.retain)`,
    );
  }
}

export function deletedBy(deleted: number): string {
  return deleted === 0 ? "nothing was deleted" : `${deleted} memories were deleted by rules of retention`;
}

/** Of SQLite, of the system, and of the helper, which says it in words. */
function isFull(error: unknown): boolean {
  return codeOf(error) === "SQLITE_FULL" || (error instanceof Error && /ENOSPC|disk is full/.test(error.message));
}
