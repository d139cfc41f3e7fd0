/** Why a memory was found, in words. */

import type { Found } from "../../contracts/memory/longterm.ts";
import type { Recalled } from "../../contracts/memory/record.ts";

interface FoundHow extends Pick<Found, "words" | "meaning"> {
  readonly now_ms: number;
}

const ages = [
  ["year", 365 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

export function whyFound(memory: Recalled, { words, meaning, now_ms }: FoundHow): string {
  const parts = [
    words === null ? null : `number ${words.rank} by word (${words.matched.join(", ")})`,
    meaning === null ? null : `number ${meaning.rank} by meaning (cosine ${meaning.cosine.toFixed(2)})`,
    ageOf(now_ms - memory.time_ms),
    memory.used === 0 ? null : `used for ${memory.used} decisions, of which ${memory.useful} worked`,
    memory.pinned ? "pinned" : null,
    memory.quarantined === null ? null : `in quarantine: ${memory.quarantined}`,
    memory.taint.length === 0 ? null : `holds text from outside (${memory.taint.join(", ")})`,
  ];
  return parts.filter((part) => part !== null).join("; ");
}

function ageOf(age_ms: number): string {
  if (age_ms < 0) return "from the future by this clock";
  const unit = ages.find(([, length]) => age_ms >= length);
  if (unit === undefined) return "just now";
  const count = Math.floor(age_ms / unit[1]);
  return `${count} ${unit[0]}${count === 1 ? "" : "s"} old`;
}
