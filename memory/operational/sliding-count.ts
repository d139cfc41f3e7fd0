/** How often something happened in each window: one addition as it comes in, one look to know it. 2.9 kB each. */

import { slots_held, window_slots } from "./windows.ts";

const windows = window_slots.length;

export class SlidingCount {
  readonly #slots = new Uint32Array(slots_held);
  /** The sum of each window's slots. */
  readonly #totals = new Float64Array(window_slots.length);
  #head: number;

  /** @param now the present slot */
  constructor(now: number) {
    this.#head = now;
  }

  /** @param slot when it happened; older than an hour is passed over, later than now counts as now @param by may be negative, to take back */
  add(slot: number, now: number, by = 1): void {
    if (now > this.#head) this.#advance(now);
    const at = Math.min(slot, this.#head);
    const age = this.#head - at;
    if (age >= slots_held) return;
    const index = indexOf(at);
    this.#slots[index] = (this.#slots[index] ?? 0) + by;
    // counted, not iterated: without the compiler of JavaScript that is several times as quick, and this runs for each event
    for (let window = windows - 1; window >= 0 && age <= (window_slots[window] ?? 0); window -= 1) {
      this.#totals[window] = (this.#totals[window] ?? 0) + by;
    }
  }

  /** @param window its place in `window_names` */
  count(window: number, now: number): number {
    this.#advance(now);
    return this.#totals[window] ?? 0;
  }

  /** Moves on slot by slot, each taking what leaves it out of the windows. */
  #advance(now: number): void {
    if (now <= this.#head) return;
    const hour = this.#totals.length - 1;
    if (now - this.#head >= slots_held) {
      this.#slots.fill(0);
      this.#totals.fill(0);
    }
    while (this.#head < now && (this.#totals[hour] ?? 0) > 0) this.#step();
    this.#head = now;
  }

  #step(): void {
    this.#head += 1;
    for (let window = 0; window < windows; window += 1) {
      const left = this.#slots[indexOf(this.#head - (window_slots[window] ?? 0) - 1)] ?? 0;
      if (left > 0) this.#totals[window] = (this.#totals[window] ?? 0) - left;
    }
    this.#slots[indexOf(this.#head)] = 0;
  }
}

/** A slot before the boot has an index too. */
function indexOf(slot: number): number {
  const rest = slot % slots_held;
  return rest < 0 ? rest + slots_held : rest;
}
