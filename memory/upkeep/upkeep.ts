/**
 * Upkeep as it runs in the service: long work in the helper, and what it found taken into memory.db afterwards, in
 * transactions small enough that nobody waits for them.
 */

import { rmSync } from "node:fs";
import type { Job, JobResults } from "../../contracts/memory/job.ts";
import { Recalled } from "../../contracts/memory/record.ts";
import type { RefusedLine, Segment } from "../../contracts/memory/upkeep.ts";
import type { Keeper } from "../keeper.ts";
import { checkedImport } from "./folders.ts";
import { Jobs } from "./job.ts";
import { SegmentReader } from "./segments/reader.ts";

export interface UpkeepOptions {
  readonly keeper: Keeper;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export class Upkeep {
  readonly jobs = new Jobs();
  readonly #keeper: Keeper;
  readonly #now: () => number;

  constructor({ keeper, now }: UpkeepOptions) {
    this.#keeper = keeper;
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  /** @returns the new segment, or null when fewer than `at_least` memories are from before `before_ms`. @throws */
  async move(before_ms: number, at_least: number, limit: number): Promise<Segment | null> {
    const { upkeep } = this.#keeper.parts;
    const segment = upkeep.nextSegment();
    upkeep.watchChanges();
    let written: JobResults["cool"];
    try {
      written = await this.jobs.run<"cool">({ do: "cool", folder: this.#keeper.folder, segment, before_ms, at_least, limit });
      if (written === null) return null;
      const moved = this.#keeper.parts.upkeep === upkeep ? this.#takeOut(segment, written) : 0;
      if (moved === 0) upkeep.discard(segment);
      return moved === 0 ? null : (this.#keeper.parts.upkeep.segments().find(({ id }) => id === segment) ?? null);
    } finally {
      if (this.#keeper.parts.upkeep === upkeep) upkeep.unwatch();
    }
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

  #takeOut(segment: number, written: NonNullable<JobResults["cool"]>): number {
    return this.#keeper.write(({ upkeep, longterm }) => {
      const moved = upkeep.takeOut(segment, written, this.#now());
      // it remembers rows of texts that it need not write again: some of them are empty now
      longterm.rolledBack();
      return moved;
    });
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

/** Lets everything that waits be answered. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
