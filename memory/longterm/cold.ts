/** What was moved out of the database into segments: a port that long-term memory owns (memory/upkeep/segments/ has the real one). */

import type { Recalled } from "../../contracts/memory/record.ts";

export interface Cold {
  /** Null: its segment cannot be read there, and `damaged` says why. */
  read(segment: number, id: string): Pick<Recalled, "text" | "body"> | null;
  /** What is wrong with which segment. */
  readonly damaged: ReadonlyMap<number, string>;
}

export const no_cold: Cold = { read: () => null, damaged: new Map() };
