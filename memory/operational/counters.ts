/** Sliding counts by name. Bounded: when there are too many, one that was silent for an hour makes room, or the new one is refused. */

import type { Count } from "../../contracts/memory/operational.ts";
import { SlidingCount } from "./sliding-count.ts";
import { coveredBySlots_ms, slotOf, window_names } from "./windows.ts";

export const counters_max = 512;
export const counter_bytes = 2950;
/** Refused names are looked at again only so often: making room is a walk over all. */
const sweep_interval_slots = 12;

export class Counters {
  readonly #counts = new Map<string, SlidingCount>();
  #swept = Number.NEGATIVE_INFINITY;
  /** Additions that found no room. */
  overflowed = 0;

  get size(): number {
    return this.#counts.size;
  }

  /** @param at_ms when it happened @param by negative to take back what was added at that time */
  add(name: string, at_ms: number, now_ms: number, by = 1): void {
    const now = slotOf(now_ms);
    const held = this.#counts.get(name) ?? this.#make(name, now);
    if (held === null) this.overflowed += 1;
    else held.add(slotOf(at_ms), now, by);
  }

  /** In every window. */
  counts(name: string, now_ms: number): Count[] {
    const held = this.#counts.get(name);
    const now = slotOf(now_ms);
    return window_names.map((window, index) => {
      const count = held?.count(index, now) ?? 0;
      const covers_ms = coveredBySlots_ms(window, now_ms);
      return { window, count, covers_ms, per_minute: covers_ms > 0 ? (count * 60_000) / covers_ms : 0 };
    });
  }

  count(name: string, window: number, now_ms: number): number {
    return this.#counts.get(name)?.count(window, slotOf(now_ms)) ?? 0;
  }

  /** Names that begin so and were counted in the window, without that beginning. */
  under(prefix: string, window: number, now_ms: number): Record<string, number> {
    const now = slotOf(now_ms);
    const found: Record<string, number> = {};
    for (const [name, held] of this.#counts) {
      if (!name.startsWith(prefix)) continue;
      const count = held.count(window, now);
      if (count > 0) found[name.slice(prefix.length)] = count;
    }
    return found;
  }

  #make(name: string, now: number): SlidingCount | null {
    if (this.#counts.size >= counters_max && !this.#sweep(now)) return null;
    const made = new SlidingCount(now);
    this.#counts.set(name, made);
    return made;
  }

  /** @returns whether there is room now */
  #sweep(now: number): boolean {
    if (now - this.#swept < sweep_interval_slots) return false;
    this.#swept = now;
    const hour = window_names.length - 1;
    for (const [name, held] of this.#counts) if (held.count(hour, now) === 0) this.#counts.delete(name);
    return this.#counts.size < counters_max;
  }
}
