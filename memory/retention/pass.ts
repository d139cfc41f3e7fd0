/**
 * Goes through memory and does what the rules say, in transactions small enough that nobody waits for them: what is in memory.db
 * first, rows, words and vectors; then the cold segments of which something went are written anew. It may be killed at any
 * moment and goes on the next time.
 */

import { codeOf } from "../../wire/database.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import type { Jobs } from "../upkeep/job.ts";
import { turn } from "../upkeep/turn.ts";
import type { Window } from "./choose.ts";
import type { Retention } from "./retention.ts";

/** In one pass; the rest follows at the next. */
const steps_max = 500;
const rewrites_max = 20;

export interface PassOptions {
  readonly keeper: Keeper;
  readonly jobs: Jobs;
  readonly clock: Clock;
}

export class RetentionPass {
  readonly #keeper: Keeper;
  readonly #jobs: Jobs;
  readonly #clock: Clock;
  /** When cutoffs followed the clock, by the boot clock. */
  #followed_ms: number;
  #steps = 0;
  #makes_room = false;

  constructor({ keeper, jobs, clock }: PassOptions) {
    this.#keeper = keeper;
    this.#jobs = jobs;
    this.#clock = clock;
    this.#followed_ms = clock.boot_ms();
  }

  /** The last pass came to its limit before its end. */
  get unfinished(): boolean {
    return this.#steps >= steps_max;
  }

  /**
   * Nothing without a rule. @param deleted by rule, counted up as it goes: what is deleted when it throws is deleted
   * @param makes_room the disk is full, and nothing else is written @throws when memory.db cannot be written
   */
  async run(deleted: Map<number, number>, makes_room: boolean): Promise<void> {
    const passed_ms = this.#clock.boot_ms() - this.#followed_ms;
    this.#followed_ms += passed_ms;
    this.#steps = 0;
    this.#makes_room = makes_room;
    if (!this.#keeper.on_disk || this.#keeper.parts.longterm.vectors.degradation !== null) return;
    if (this.#retention.rules.active().length > 0) {
      this.#write(({ retention }) => retention.rules.follow(this.#clock.time_ms(), passed_ms));
      await this.#forget(deleted);
    }
    await this.#rewrite();
  }

  #write<T>(change: (parts: Keeper["parts"]) => T): T {
    const result = this.#keeper.write(change, { makes_room: this.#makes_room });
    if (this.#makes_room) this.#emptyLog();
    return result;
  }

  /** What a step writes goes into the log first, and there is room for little of that. */
  #emptyLog(): void {
    try {
      this.#keeper.parts.upkeep.emptyLog();
    } catch (error) {
      // what is in the log is written all the same
      if (codeOf(error) !== "SQLITE_FULL") throw error;
    }
  }

  get #retention(): Retention {
    return this.#keeper.parts.retention;
  }

  async #forget(deleted: Map<number, number>): Promise<void> {
    const began = this.#retention;
    const now_ms = this.#clock.time_ms();
    let walk = began.begin;
    // another one is there after damage: its numbers are others
    while (this.#retention === began && this.#steps < steps_max) {
      const window = began.window(walk);
      const cutoff_ms = Math.max(...began.rules.active().map((rule) => rule.cutoff_ms));
      if (window === null || walk.reached_ms >= cutoff_ms) return;
      walk = began.behind(window, now_ms);
      await this.#window(window, deleted, now_ms);
    }
  }

  /** Rules are asked for at each step: one that was ended meanwhile deletes nothing more. */
  async #window(whole: Window, deleted: Map<number, number>, now_ms: number): Promise<void> {
    for (const { id } of this.#retention.rules.active()) {
      for (let window: Window | null = whole; window !== null; ) {
        const at: Window = window;
        const done = this.#write(({ retention, longterm }) => {
          const rule = retention.rules.active().find((one) => one.id === id);
          return rule === undefined ? { deleted: 0, next: null } : retention.step(longterm, at, rule, now_ms);
        });
        if (done.deleted > 0) deleted.set(id, (deleted.get(id) ?? 0) + done.deleted);
        window = ++this.#steps < steps_max ? done.next : null;
        await turn();
      }
    }
  }

  /** Those that cannot be read are left: their files stay, and what was deleted of them with them. */
  async #rewrite(): Promise<void> {
    const damaged = this.#keeper.parts.cold.damaged;
    for (const segment of this.#retention.rewritten.wanted().slice(0, rewrites_max)) {
      if (this.#jobs.running !== null) return;
      if (damaged.has(segment)) continue;
      const { upkeep } = this.#keeper.parts;
      const into = upkeep.nextSegment();
      const written = await this.#jobs.run<"rewrite">({ do: "rewrite", folder: this.#keeper.folder, segment, into });
      if (this.#keeper.parts.upkeep !== upkeep) return;
      try {
        this.#write(({ retention }) => retention.rewritten.exchange(segment, into, written, this.#clock.time_ms()));
      } catch (error) {
        if (written !== null) upkeep.discard(into);
        // something of it was changed meanwhile and is hot: the next pass writes it anew
        if (codeOf(error) !== "") throw error;
        continue;
      }
      this.#keeper.parts.cold.forget(segment);
      upkeep.discard(segment);
    }
  }
}
