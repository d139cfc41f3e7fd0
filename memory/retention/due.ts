/** When rules of retention are done, and what they did told: each time it is a memory of its own. */

import type { Keeper } from "../keeper.ts";
import type { Deeds } from "../upkeep/deeds.ts";
import { type PassOptions, RetentionPass } from "./pass.ts";

const every_ms = 6 * 3_600_000;
/** Given back to the disk afterwards. */
const shrunk_pages = 256;

export class RetentionDue {
  readonly #keeper: Keeper;
  readonly #deeds: Deeds;
  readonly #pass: RetentionPass;
  /** A rule was set. */
  #wanted = false;
  /** When the rules are looked at without that. */
  #next_ms = 0;

  constructor(options: PassOptions, deeds: Deeds) {
    this.#keeper = options.keeper;
    this.#deeds = deeds;
    this.#pass = new RetentionPass(options);
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  get due(): boolean {
    return this.#wanted || performance.now() >= this.#next_ms;
  }

  want(): void {
    this.#wanted = true;
  }

  /**
   * Deletes what the rules say, and tells of it. @param makes_room while everything else is refused because the disk is full
   * @returns how many memories @throws when memory.db cannot be written
   */
  async run({ makes_room = false } = {}): Promise<number> {
    this.#wanted = false;
    const deleted = new Map<number, number>();
    try {
      await this.#pass.run(deleted, makes_room);
    } finally {
      this.#next_ms = performance.now() + (this.#pass.unfinished ? 0 : every_ms);
      this.tell();
    }
    const all = [...deleted.values()].reduce((sum, memories) => sum + memories, 0);
    if (all > 0) this.#keeper.parts.upkeep.shrink(shrunk_pages);
    return all;
  }

  /** What cannot be written now is told the next time: health says why not. */
  tell(): void {
    for (const { id, set_by, memories } of this.#keeper.parts.retention.rules.untold()) {
      const text = `${memories} memories were deleted by rule ${id} of retention, which ${set_by} set`;
      const deed = { text, severity: "notice", outcome: "worked", body: { rule: id, memories } } as const;
      this.#deeds.tell(deed, ({ retention }) => retention.rules.tell(id, memories));
    }
  }
}
