/**
 * Deadlines that are written down by the wall clock, for people and for the next start, and waited for by the clock that never
 * steps: a wall clock that is set makes none of them earlier or later. Of one that an earlier start wrote down, what the wall clock
 * leaves of it, and never more than such a deadline may be away.
 */

import type { Clock } from "./context.ts";

export class Deadlines {
  readonly #clock: Clock;
  readonly #longest_ms: number;
  /** By what they are of, on the boot clock. */
  readonly #ends = new Map<string, number>();

  /** @param longest_ms that one is away when it is made */
  constructor(clock: Clock, longest_ms: number) {
    this.#clock = clock;
    this.#longest_ms = longest_ms;
  }

  /** Milliseconds, 0 when it is over. The first question about it begins to count. */
  left(of: string, deadline_ms: number): number {
    const now_ms = this.#clock.boot_ms();
    let end = this.#ends.get(of);
    if (end === undefined) {
      end = now_ms + Math.min(Math.max(0, deadline_ms - this.#clock.now_ms()), this.#longest_ms);
      this.#ends.set(of, end);
    }
    return Math.max(0, end - now_ms);
  }

  forget(of: string): void {
    this.#ends.delete(of);
  }
}
