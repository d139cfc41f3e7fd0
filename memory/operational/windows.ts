/**
 * The windows of operational memory, and how time is cut for them. Counters move on in slots of five seconds, so a window
 * of `n` slots covers the `n` before the present one and what there is of the present one; each answer says how much that is.
 */

import type { Window } from "../../contracts/memory/operational.ts";

export const window_names: readonly Window[] = ["1m", "5m", "15m", "1h"];
export const window_ms: Readonly<Record<Window, number>> = { "1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000 };
export const hour_ms = window_ms["1h"];

const slot_ms = 5000;
/** Whole slots of each window, in the order of `window_names`. */
export const window_slots: readonly number[] = window_names.map((name) => window_ms[name] / slot_ms);
/** The hour and the present slot. */
export const slots_held = hour_ms / slot_ms + 1;

export function slotOf(boot_ms: number): number {
  return Math.floor(boot_ms / slot_ms);
}

/** How much time the counters of a window cover now. Less since boot than its name says, when the boot is younger. */
export function coveredBySlots_ms(window: Window, now_ms: number): number {
  const from_ms = slotOf(now_ms) * slot_ms - window_ms[window];
  return now_ms - Math.max(0, from_ms);
}
