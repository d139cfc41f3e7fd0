/** Which part of the system an alarm is about, where its name says so. */

import bundled from "./kinds.yaml";

export const kinds: readonly string[] = Object.keys(bundled);

const begins: readonly (readonly [begin: string, kind: string])[] = Object.entries(bundled)
  .flatMap(([kind, names]) => namesIn(names).map((name) => [name, kind] as const))
  .sort(([a], [b]) => b.length - a.length);

/** @returns null when its name does not say it */
export function kindOf(alarm: string): string | null {
  return begins.find(([begin]) => alarm === begin || alarm.startsWith(`${begin}-`))?.[1] ?? null;
}

function namesIn(names: unknown): string[] {
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new Error(`reading the kinds of alarms failed: ${JSON.stringify(names)} is no list of names`);
}
