/**
 * All cold segments, as long-term memory asks them: what is cold of a memory, by its segment and its id. Files stay open
 * and blocks unpacked while they are asked for, up to a limit. A segment that cannot be read is said, the rest goes on.
 */

import { join } from "node:path";
import { Recalled } from "../../../contracts/memory/record.ts";
import { segmentFile, segmentsIn } from "../folders.ts";
import { SegmentReader } from "./reader.ts";

const open_max = 64;
/** 128 KiB each. */
const blocks_max = 32;

export class Cold {
  readonly #folder: string;
  readonly #open = new Map<number, SegmentReader>();
  readonly #blocks = new Map<string, readonly string[]>();
  /** What is wrong with which segment. */
  readonly damaged = new Map<number, string>();

  /** @param folder memory's; segments are in one of its own there */
  constructor(folder: string) {
    this.#folder = segmentsIn(folder);
  }

  /** The whole memory as it went cold, or null when its segment cannot be read there (`damaged` says why). */
  read(segment: number, id: string): Recalled | null {
    try {
      const reader = this.#reader(segment);
      for (const number of reader.blocksOf(id)) {
        const line = this.#block(segment, reader, number).find((one) => one.startsWith(`{"id":${JSON.stringify(id)}`));
        if (line !== undefined) return Recalled.parse(JSON.parse(line));
      }
      throw new Error(`it does not hold "${id}"`);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.damaged.set(segment, `reading the segment "${join(this.#folder, segmentFile(segment))}" failed: ${cause}`);
      return null;
    }
  }

  close(): void {
    for (const reader of this.#open.values()) reader.close();
    this.#open.clear();
    this.#blocks.clear();
  }

  #reader(segment: number): SegmentReader {
    const known = this.#open.get(segment);
    if (known !== undefined) return known;
    const reader = new SegmentReader(join(this.#folder, segmentFile(segment)));
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= open_max) {
      oldest[1].close();
      this.#open.delete(oldest[0]);
    }
    this.#open.set(segment, reader);
    return reader;
  }

  #block(segment: number, reader: SegmentReader, number: number): readonly string[] {
    const key = `${segment}/${number}`;
    const lines = this.#blocks.get(key) ?? reader.block(number);
    this.#blocks.delete(key); // to the end: it was asked for last
    this.#blocks.set(key, lines);
    const [oldest] = this.#blocks.keys();
    if (oldest !== undefined && this.#blocks.size > blocks_max) this.#blocks.delete(oldest);
    return lines;
  }
}
