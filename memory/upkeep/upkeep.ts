/**
 * Upkeep as it runs in the service: long work in the helper, and what it found taken into memory.db afterwards, in
 * transactions small enough that nobody waits for them.
 */

import type { DiskState, RoomMade, Segment } from "../../contracts/memory/upkeep.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import { RetentionDue } from "../retention/due.ts";
import { Deeds } from "./deeds.ts";
import { Disk, mib } from "./disk.ts";
import { type Imported, importFrom } from "./exchange/take-in.ts";
import { Jobs } from "./job.ts";
import { type Cooling, Moves } from "./moves.ts";
import { Recovery } from "./recover/recovery.ts";
import { deletedBy, Room } from "./room.ts";

const day_ms = 86_400_000;
const look_ms = 10 * 60_000;
const notice_ms = 2000;
/** What failed is tried again sooner. */
const again_ms = 30_000;
/** Also when a clock says that they are old. */
const keep_newest = 2000;
/** What was not asked for in a season is rarely asked for again; small segments are not worth a file. */
const usual: Cooling = { older_than_ms: 90 * day_ms, keep_newest, at_least: 2000, limit: 10_000 };
/** Small moves: each needs room for its file and for the log of its transaction. */
const when_short: Cooling = { older_than_ms: day_ms, keep_newest, at_least: 50, limit: 300 };
/** In one look; the rest follows at the next. */
const moves_max = 50;
const shrunk_pages = 256;

interface UpkeepOptions {
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly onTrouble?: (text: string) => void;
}

export class Upkeep {
  readonly jobs = new Jobs();
  readonly #keeper: Keeper;
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #moves: Moves;
  readonly #room: Room;
  readonly #deeds: Deeds;
  readonly #retention: RetentionDue;
  readonly #recovery: Recovery;
  readonly #onTrouble: (text: string) => void;
  #timers: ReturnType<typeof setInterval>[] = [];
  #looking = false;
  /** Another one is there after damage or a restore. */
  #looked_at: unknown = null;
  #trouble: string | null = null;
  #trouble_ms = 0;

  constructor({ keeper, clock, onTrouble = () => {} }: UpkeepOptions) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
    this.#disk = new Disk(keeper.folder);
    this.#moves = new Moves(keeper, this.jobs, clock);
    this.#deeds = new Deeds(keeper, clock);
    this.#retention = new RetentionDue({ keeper, jobs: this.jobs, clock }, this.#deeds);
    this.#recovery = new Recovery(keeper, this.jobs, clock);
    this.#room = new Room({
      ...{ keeper, disk: this.#disk, time_ms: () => clock.time_ms() },
      move: (cooling) => this.move(cooling),
      forget: () => this.#retention.run({ makes_room: true }),
      onMade: (made) => this.#made(made),
    });
  }

  now(): number {
    return this.#clock.time_ms();
  }

  /** Looks after memory from now on: at once, every ten minutes, and soon after damage or a full disk. */
  start(): void {
    this.#keeper.onFull = () => {
      if (this.#keeper.on_disk) this.#room.full();
    };
    void this.#look();
    this.#timers = [setInterval(() => void this.#look(), look_ms), setInterval(() => this.#notice(), notice_ms)];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** What is wrong and what is done about it, or null. */
  get degradation(): string | null {
    return this.#trouble ?? this.#disk.shortage ?? [...this.#keeper.parts.cold.damaged.values()].at(-1) ?? null;
  }

  get disk(): DiskState {
    const { reserve_bytes, space } = this.#disk;
    return { ...space, reserve_bytes, refusing: this.#keeper.refusal, room_made: this.#room.last };
  }

  /** Moves what is old out of memory.db; what is not so old too while the disk is short. */
  async tidy(): Promise<void> {
    if (!this.#keeper.on_disk) return;
    const short = this.#disk.look();
    if (short) this.#keeper.parts.upkeep.emptyLog();
    for (let n = 0; n < moves_max; n += 1) {
      const segment = await this.move(short ? when_short : usual);
      if (segment === null) break;
      if (short) this.#keeper.parts.upkeep.shrink(shrunk_pages);
    }
    this.#disk.look();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.jobs.running !== null) return;
    this.#looking = true;
    this.#looked_at = this.#keeper.parts.upkeep;
    try {
      if (this.#retention.due) this.#room.again();
      if (this.#room.wanted) await this.#room.make();
      if (this.#keeper.refusal !== null) return;
      await this.recover();
      await this.tidy();
      if (this.#retention.due) await this.forget();
      this.#trouble = null;
    } catch (error) {
      this.#trouble = `upkeep of memory failed: ${reasonOf(error)}; it is tried again`;
      this.#trouble_ms = performance.now();
    } finally {
      this.#looking = false;
    }
  }

  #notice(): void {
    this.#bringBack();
    this.#room.look();
    const again = this.#trouble !== null && performance.now() - this.#trouble_ms >= again_ms;
    if (again || this.#room.wanted || this.#retention.wanted || this.#keeper.parts.upkeep !== this.#looked_at) void this.#look();
  }

  /** What was kept in RAM goes to the disk when that can be written again. */
  #bringBack(): void {
    if (this.#looking || this.jobs.running !== null || !this.#keeper.may_come_back) return;
    try {
      this.#keeper.bringBack(new Date(this.now()));
      this.#trouble = null;
    } catch (error) {
      this.#trouble = `bringing memory back to the disk failed: ${reasonOf(error)}; it stays in RAM and it is tried again`;
    }
  }

  /** What is coming back after damage, or came back since the start; null: nothing was lost. */
  get recovery(): string | null {
    return this.#recovery.said;
  }

  /** Does soon what the rules of retention say. */
  retain(): void {
    this.#retention.want();
  }

  /** Deletes what the rules of retention say, and tells of it. @throws */
  async forget(): Promise<void> {
    await this.#retention.run();
  }

  /** Brings back what can be after damage. @throws when the helper fails or memory.db cannot be written; it can be begun again */
  recover(): Promise<void> {
    return this.#recovery.run();
  }

  /** @returns the new segment, or null when there is too little to move. @throws */
  move(cooling: Cooling): Promise<Segment | null> {
    return this.#moves.move(cooling);
  }

  /** Takes in `imports/<name>`, or nothing of it. @throws when the file cannot be read or memory.db not written */
  import(name: string): Promise<Imported> {
    return importFrom(this.#keeper, this.jobs, name);
  }

  #made({ memories, segments, deleted, won_bytes, free_bytes, took_ms, resumed }: RoomMade): void {
    const won = `${memories} memories went into ${segments} segments, and memory takes ${mib(Math.max(0, won_bytes))} less`;
    const end = resumed ? `writing went on after ${(took_ms / 1000).toFixed(1)} s` : "it was not enough: nothing is written";
    const text = `The disk of memory was full: ${won}; ${mib(free_bytes)} are free; ${end}; ${deletedBy(deleted)}`;
    this.#onTrouble(text);
    if (!resumed) return;
    this.#disk.look();
    const body = { memories, segments, deleted, won_bytes, free_bytes, took_ms };
    this.#deeds.tell({ text, severity: "warning", outcome: "worked", body });
    this.#retention.tell();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
