/** Memories on their way into segments: written by the helper, then taken out of memory.db in one transaction (segments/move.ts). */

import type { JobResults } from "../../contracts/memory/job.ts";
import type { Segment } from "../../contracts/memory/upkeep.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import type { Jobs } from "./job.ts";

/** What is to become cold: the first of it in the order of writing. */
export interface Cooling {
  /** By the wall clock; null: any. */
  readonly older_than_ms: number | null;
  /** So many of the newest in the order of writing stay, which no step of a clock can upset. */
  readonly keep_newest: number;
  /** With fewer nothing is done. */
  readonly at_least: number;
  readonly limit: number;
}

export class Moves {
  readonly #keeper: Keeper;
  readonly #jobs: Jobs;
  readonly #clock: Clock;

  constructor(keeper: Keeper, jobs: Jobs, clock: Clock) {
    this.#keeper = keeper;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  /** @returns the new segment, or null when there is too little to move. @throws */
  async move({ older_than_ms, ...cooling }: Cooling): Promise<Segment | null> {
    // what the one that runs has noted of changes is not to be forgotten
    this.#jobs.refuseIfBusy("cool");
    const { upkeep } = this.#keeper.parts;
    const segment = upkeep.nextSegment();
    const before_ms = older_than_ms === null ? Number.MAX_SAFE_INTEGER : this.#clock.time_ms() - older_than_ms;
    upkeep.watchChanges();
    try {
      const written = await this.#jobs.run<"cool">({ do: "cool", folder: this.#keeper.folder, segment, before_ms, ...cooling });
      if (written === null) return null;
      return this.#keeper.parts.upkeep === upkeep ? this.#takeOut(segment, written) : null;
    } finally {
      if (this.#keeper.parts.upkeep === upkeep) upkeep.unwatch();
    }
  }

  /** @throws when memory.db cannot be written: the file goes, and all is as it was */
  #takeOut(segment: number, written: NonNullable<JobResults["cool"]>): Segment | null {
    let moved = 0;
    try {
      moved = this.#keeper.write(
        ({ upkeep, longterm }) => {
          const count = upkeep.takeOut(segment, written, this.#clock.time_ms());
          // it remembers rows of texts that it need not write again: some of them are empty now
          longterm.rolledBack();
          return count;
        },
        { makes_room: true },
      );
    } finally {
      if (moved === 0) this.#keeper.parts.upkeep.discard(segment);
    }
    return moved === 0 ? null : (this.#keeper.parts.upkeep.segments().find(({ id }) => id === segment) ?? null);
  }
}
