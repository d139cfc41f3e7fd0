/** After damage: what the helper has read out of files that were set aside, and segments that memory.db does not know, taken in. */

import { join } from "node:path";
import { Recalled } from "../../../contracts/memory/record.ts";
import type { Clock } from "../../clock.ts";
import type { Keeper } from "../../keeper.ts";
import { segmentFile, segmentsIn } from "../folders.ts";
import type { Jobs } from "../job.ts";
import { SegmentReader } from "../segments/reader.ts";
import { turn } from "../turn.ts";
import { damagedFiles } from "./tables.ts";

export class Recovery {
  readonly #keeper: Keeper;
  readonly #jobs: Jobs;
  readonly #clock: Clock;
  #doing: string | null = null;
  readonly #done: string[] = [];

  constructor(keeper: Keeper, jobs: Jobs, clock: Clock) {
    this.#keeper = keeper;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  /** What is coming back after damage, or came back since the start; null: nothing was lost. */
  get said(): string | null {
    return this.#doing ?? this.#done.at(-1) ?? null;
  }

  /**
   * Brings back what can be after damage, a power cut or the loss of memory.db: nothing to do nearly always.
   * @throws when the helper fails or memory.db cannot be written; it can be begun again
   */
  async run(): Promise<void> {
    try {
      if (this.#keeper.on_disk && this.#jobs.running === null) this.#keeper.parts.upkeep.dropUnfinished();
      for (const file of damagedFiles(this.#keeper.folder)) if (!this.#keeper.parts.upkeep.recovered(file)) await this.#salvage(file);
      for (const segment of this.#keeper.parts.upkeep.unknownSegments()) await this.#adopt(segment);
    } finally {
      this.#doing = null;
    }
  }

  async #salvage(file: string): Promise<void> {
    const { folder } = this.#keeper;
    this.#doing = `what can be read of "${file}" is being recovered`;
    const segment = this.#keeper.parts.upkeep.nextSegment();
    const { segments, memories, unreadable } = await this.#jobs.run<"salvage">({ do: "salvage", folder, file, segment });
    let added = 0;
    // the newest first: the rows of each get numbers below those that are there
    for (const one of segments.toReversed()) added += await this.#adopt(one);
    this.#keeper.write(({ upkeep }) => upkeep.noteRecovered(file, this.#clock.time_ms(), memories, added, unreadable));
    this.#done.push(
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
      this.#doing = `segment ${segment} is being taken in: ${done} of ${reader.trailer.memories} memories`;
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
