/**
 * All cold segments, as long-term memory asks them (its port: memory/longterm/cold.ts): what is cold of a memory, by its
 * segment and its id. Files stay open and blocks unpacked while they are asked for, up to a limit. A segment that cannot be
 * read is said, the rest goes on.
 */

import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { Recalled } from "../../../contracts/memory/record.ts";
import { segmentFile, segmentsIn } from "../folders.ts";
import { SegmentReader } from "./reader.ts";

const open_max = 64;
/** 128 KiB each. */
const blocks_max = 32;

export class Cold {
  readonly #folder: string;
  readonly #segment_of: Sqlite.Statement<[string], { segment: number }>;
  readonly #open = new Map<number, SegmentReader>();
  readonly #blocks = new Map<string, readonly string[]>();
  /** What is wrong with which segment. */
  readonly damaged = new Map<number, string>();

  /** @param folder memory's; segments are in one of its own there */
  constructor(db: Sqlite.Database, folder: string) {
    this.#folder = segmentsIn(folder);
    this.#segment_of = db.prepare("SELECT segment FROM memories WHERE id = ? AND segment IS NOT NULL");
  }

  /** What cannot be read, or null. */
  get degradation(): string | null {
    if (this.damaged.size === 0) return null;
    const [first = ""] = this.damaged.values();
    const more = this.damaged.size === 1 ? "" : `, and ${this.damaged.size - 1} more`;
    return `${first}${more}; what is cold in it is found but not shown: put the file back from a backup`;
  }

  /** The body of a memory that is cold, or null. */
  bodyOf(id: string): string | null {
    const segment = this.#segment_of.get(id)?.segment;
    return segment === undefined ? null : this.#bodyIn(segment, id);
  }

  /** The whole memory as it went cold, or null when it cannot be read. */
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

  #bodyIn(segment: number, id: string): string | null {
    const memory = this.read(segment, id);
    return memory === null ? null : JSON.stringify(memory.body);
  }

  /** Its file is about to go. */
  forget(segment: number): void {
    this.#open.get(segment)?.close();
    this.#open.delete(segment);
    for (const key of [...this.#blocks.keys()]) if (key.startsWith(`${segment}/`)) this.#blocks.delete(key);
  }

  close(): void {
    for (const reader of this.#open.values()) reader.close();
    this.#open.clear();
    this.#blocks.clear();
    this.damaged.clear();
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
