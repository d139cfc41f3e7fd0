/**
 * Upkeep as it runs in the service: long work in the helper, and what it found taken into memory.db afterwards, in
 * transactions small enough that nobody waits for them.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "../../contracts/memory/job.ts";
import { Recalled } from "../../contracts/memory/record.ts";
import type { DiskState, RefusedLine, RoomMade, Segment } from "../../contracts/memory/upkeep.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import { RetentionPass } from "../retention/pass.ts";
import { Deeds } from "./deeds.ts";
import { Disk, mib } from "./disk.ts";
import { checkedImport, segmentFile, segmentsIn } from "./folders.ts";
import { Jobs } from "./job.ts";
import { type Cooling, Moves } from "./moves.ts";
import { damagedFiles } from "./recover/tables.ts";
import { Room } from "./room.ts";
import { SegmentReader } from "./segments/reader.ts";
import { turn } from "./turn.ts";

const day_ms = 86_400_000;
const look_ms = 10 * 60_000;
const notice_ms = 2000;
/** How often what rules of retention say is done: each time it is told in a memory. */
const retain_every_ms = 6 * 3_600_000;
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
  readonly #retention: RetentionPass;
  /** A rule was set. */
  #retain_wanted = false;
  /** When the rules are looked at without that. */
  #retain_ms = 0;
  readonly #onTrouble: (text: string) => void;
  #timers: ReturnType<typeof setInterval>[] = [];
  #looking = false;
  /** Another one is there after damage or a restore. */
  #looked_at: unknown = null;
  #trouble: string | null = null;
  #trouble_ms = 0;
  #recovering: string | null = null;
  readonly #recovered: string[] = [];

  constructor({ keeper, clock, onTrouble = () => {} }: UpkeepOptions) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
    this.#disk = new Disk(keeper.folder);
    this.#moves = new Moves(keeper, this.jobs, clock);
    this.#deeds = new Deeds(keeper, clock);
    this.#retention = new RetentionPass({ keeper, jobs: this.jobs, clock });
    const time_ms = (): number => clock.time_ms();
    this.#room = new Room({ keeper, disk: this.#disk, move: (cooling) => this.move(cooling), time_ms, onMade: (made) => this.#made(made) });
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
      if (this.#room.wanted) await this.#room.make();
      if (this.#keeper.refusal !== null) return;
      await this.recover();
      await this.tidy();
      if (this.#retain_wanted || performance.now() >= this.#retain_ms) await this.forget();
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
    if (again || this.#room.wanted || this.#retain_wanted || this.#keeper.parts.upkeep !== this.#looked_at) void this.#look();
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
    return this.#recovering ?? this.#recovered.at(-1) ?? null;
  }

  /** Does soon what the rules of retention say. */
  retain(): void {
    this.#retain_wanted = true;
  }

  /** Deletes what the rules of retention say, and tells of it. @throws */
  async forget(): Promise<void> {
    this.#retain_wanted = false;
    const deleted = await this.#retention.run();
    this.#retain_ms = performance.now() + (this.#retention.unfinished ? 0 : retain_every_ms);
    for (const [rule, memories] of deleted) {
      const set_by = this.#keeper.parts.retention.rules.one(rule)?.set_by ?? "unknown";
      const text = `${memories} memories were deleted by rule ${rule} of retention, which ${set_by} set`;
      this.#deeds.tell({ text, severity: "notice", outcome: "worked", body: { rule, memories } });
    }
    if (deleted.size > 0) this.#keeper.parts.upkeep.shrink(shrunk_pages);
  }

  /** @returns the new segment, or null when there is too little to move. @throws */
  move(cooling: Cooling): Promise<Segment | null> {
    return this.#moves.move(cooling);
  }

  /** Takes in `imports/<name>`, or nothing of it. @throws when the file cannot be read or memory.db not written */
  async import(name: string): Promise<{ read: number; written: number; refused: RefusedLine[]; refused_lines: number }> {
    const path = checkedImport(this.#keeper.folder, name);
    const job: Extract<Job, { do: "import" }> = { do: "import", folder: this.#keeper.folder, name };
    try {
      const { memories: read, refused, refused_lines } = await this.jobs.run<"import">(job);
      const written = refused_lines > 0 ? 0 : await this.#takeIn(path);
      return { read, written, refused, refused_lines };
    } finally {
      rmSync(path, { force: true });
    }
  }

  /**
   * Brings back what can be after damage, a power cut or the loss of memory.db: nothing to do nearly always.
   * @throws when the helper fails or memory.db cannot be written; it can be begun again
   */
  async recover(): Promise<void> {
    try {
      for (const file of damagedFiles(this.#keeper.folder)) if (!this.#keeper.parts.upkeep.recovered(file)) await this.#salvage(file);
      for (const segment of this.#keeper.parts.upkeep.unknownSegments()) await this.#adopt(segment);
    } finally {
      this.#recovering = null;
    }
  }

  async #salvage(file: string): Promise<void> {
    const { folder } = this.#keeper;
    this.#recovering = `what can be read of "${file}" is being recovered`;
    const segment = this.#keeper.parts.upkeep.nextSegment();
    const { segments, memories, unreadable } = await this.jobs.run<"salvage">({ do: "salvage", folder, file, segment });
    let added = 0;
    // the newest first: the rows of each get numbers below those that are there
    for (const one of segments.toReversed()) added += await this.#adopt(one);
    this.#keeper.write(({ upkeep }) => upkeep.noteRecovered(file, this.#clock.time_ms(), memories, added, unreadable));
    this.#recovered.push(
      `${added} memories came back from "${file}"${unreadable === 0 ? "" : `, ${unreadable} places in it could not be read`}`,
    );
  }

  /** @returns how many memories of it were not there */
  async #adopt(segment: number): Promise<number> {
    const path = join(segmentsIn(this.#keeper.folder), segmentFile(segment));
    let reader: SegmentReader;
    try {
      reader = new SegmentReader(path);
    } catch (error) {
      this.#keeper.parts.cold.damaged.set(segment, `taking in the segment "${path}" failed: ${reasonOf(error)}`);
      return 0;
    }
    try {
      return await this.#adoptAll(segment, path, reader);
    } finally {
      reader.close();
    }
  }

  async #adoptAll(segment: number, path: string, reader: SegmentReader): Promise<number> {
    const bases = this.#keeper.parts.upkeep.basesBelow(reader.trailer.memories);
    let added = 0;
    let done = 0;
    let plain_bytes = 0;
    // the last first: what others write meanwhile gets the numbers behind it, where nothing more is to come
    for (let number = reader.blocks - 1; number >= 0; number -= 1) {
      const records = recordsOf(reader, number, (reason) => {
        this.#keeper.parts.cold.damaged.set(segment, `reading the segment "${path}" failed: ${reason}`);
      });
      for (const { line } of records) plain_bytes += line.length;
      const batch = records.map(({ memory }) => memory);
      added += this.#keeper.write(({ upkeep, ...parts }) => upkeep.adopt(parts, batch, segment, bases, reader.firstOf(number)));
      done += records.length;
      this.#recovering = `segment ${segment} is being taken in: ${done} of ${reader.trailer.memories} memories`;
      await turn();
    }
    const held = this.#keeper.write(({ upkeep, longterm }) => {
      const memories = upkeep.adopted(segment, path, plain_bytes, this.#clock.time_ms());
      longterm.rolledBack();
      return memories;
    });
    if (held === 0 && !this.#keeper.parts.cold.damaged.has(segment)) this.#keeper.parts.upkeep.discard(segment);
    return added;
  }

  #made({ memories, segments, won_bytes, free_bytes, took_ms, resumed }: RoomMade): void {
    const won = `${memories} memories went into ${segments} segments, and memory takes ${mib(Math.max(0, won_bytes))} less`;
    const end = resumed ? `writing went on after ${(took_ms / 1000).toFixed(1)} s` : "it was not enough: nothing is written";
    const text = `The disk of memory was full: ${won}; ${mib(free_bytes)} are free; ${end}; nothing was deleted`;
    this.#onTrouble(text);
    if (!resumed) return;
    this.#disk.look();
    this.#deeds.tell({ text, severity: "warning", outcome: "worked", body: { memories, segments, won_bytes, free_bytes, took_ms } });
  }

  async #takeIn(path: string): Promise<number> {
    const reader = new SegmentReader(path);
    let written = 0;
    try {
      for (let number = 0; number < reader.blocks; number += 1) {
        const memories = reader.block(number).map((line) => Recalled.parse(JSON.parse(line)));
        written += this.#keeper.write((parts) => memories.filter((memory) => parts.upkeep.takeIn(parts.longterm, memory)).length);
        await turn();
      }
      return written;
    } finally {
      reader.close();
    }
  }
}

/** Of a block that is damaged, none. */
function recordsOf(reader: SegmentReader, number: number, onDamage: (reason: string) => void): { line: string; memory: Recalled }[] {
  try {
    return reader.block(number).flatMap((line) => {
      const memory = Recalled.safeParse(JSON.parse(line));
      return memory.success ? [{ line, memory: memory.data }] : [];
    });
  } catch (error) {
    onDamage(reasonOf(error));
    return [];
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
