/**
 * The moment before which before-images are too old. It follows the wall clock at most twice as fast as time passes, over restarts
 * too: a clock that somebody set a year ahead would else give up all that was kept, within one call. After a year without power it
 * takes a year to catch up; until then only room is a reason to give something up.
 */

import { z } from "zod";
import type { Clock, State } from "../context.ts";

const haste_max = 2;
/** Written down again when it moved by so much. */
const step_ms = 3_600_000;

/** Where it is kept, milliseconds since 1970. */
export interface KeptCutoff {
  get(): number | undefined;
  put(cutoff_ms: number): void;
}

export class Cutoff {
  readonly #clock: Clock;
  readonly #age_ms: number;
  readonly #kept: KeptCutoff;
  #at_ms: number;
  /** Of the boot clock, when it was moved. */
  #moved_ms: number;
  #written_ms: number | undefined;

  constructor(clock: Clock, age_ms: number, kept: KeptCutoff) {
    this.#clock = clock;
    this.#age_ms = age_ms;
    this.#kept = kept;
    this.#written_ms = kept.get();
    this.#at_ms = Math.min(this.#byClock(), this.#written_ms ?? Number.POSITIVE_INFINITY);
    this.#moved_ms = clock.boot_ms();
  }

  /** Milliseconds since 1970. @throws when it cannot be written down */
  move(): number {
    const now_ms = this.#clock.boot_ms();
    this.#at_ms = Math.min(this.#byClock(), this.#at_ms + haste_max * (now_ms - this.#moved_ms));
    this.#moved_ms = now_ms;
    if (this.#written_ms === undefined || Math.abs(this.#at_ms - this.#written_ms) >= step_ms) {
      this.#kept.put(this.#at_ms);
      this.#written_ms = this.#at_ms;
    }
    return this.#at_ms;
  }

  #byClock(): number {
    return this.#clock.now_ms() - this.#age_ms;
  }
}

const key = "cutoff_ms";

export function cutoffIn(state: State): KeptCutoff {
  return { get: () => z.number().optional().parse(state.get(key)), put: (cutoff_ms) => state.put(key, cutoff_ms) };
}
