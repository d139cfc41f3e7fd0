/**
 * Settings that stay: the kernel's value, and the same value declared in the broker's state so that it is set again at the
 * next boot. Undo brings both back.
 */

import { z } from "zod";
import type { State } from "../../../context.ts";

/** One setting before a call: what the kernel had, and what was declared (null: nothing). */
export const SettingImage = z.lazy(() => z.strictObject({ value: z.string(), declared: z.string().nullable() }));
export type SettingImage = z.infer<typeof SettingImage>;

export function declaredValue(state: State, key: string): string | null {
  return z
    .string()
    .nullable()
    .parse(state.get(key) ?? null);
}

export function declare(state: State, key: string, value: string | null): void {
  if (value === null) state.delete(key);
  else state.put(key, value);
}
