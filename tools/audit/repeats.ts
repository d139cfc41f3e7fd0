/**
 * What a tier looks at again and again, as its patrol does for ever: the first look is an entry, and those that are like it are
 * counted, with one entry an hour that says how often. Else an idle system would fill its disk with having looked: six hundred
 * entries an hour, measured in a container without models.
 */

import type { NewEntry } from "./audit.ts";
import { canonicalJson } from "./canonical.ts";

/** Looks that are kept apart; of more than these each is an entry. */
const kinds_max = 500;
/** Milliseconds since 1970 are not smaller: a look back over the last minutes is the same look a minute later. */
const wall_clock_min_ms = 1e12;

interface Look {
  readonly first: NewEntry;
  times: number;
  from_ms: number;
  until_ms: number;
  last_call: string | null;
}

export class Repeats {
  readonly #looks = new Map<string, Look>();

  /** @returns whether it has been counted, and is no entry of its own. @param now_ms wall clock */
  counted(entry: NewEntry, now_ms: number): boolean {
    if (!isRoutine(entry)) return false;
    const key = keyOf(entry);
    const look = this.#looks.get(key);
    if (look === undefined) {
      if (this.#looks.size < kinds_max)
        this.#looks.set(key, { first: entry, times: 0, from_ms: now_ms, until_ms: now_ms, last_call: null });
      return false;
    }
    if (look.times === 0) look.from_ms = now_ms;
    look.times += 1;
    look.until_ms = now_ms;
    look.last_call = entry.call;
    return true;
  }

  /** An entry for each that came again since this was last asked; what did not is forgotten, and its next one is an entry. */
  take(): NewEntry[] {
    const entries: NewEntry[] = [];
    for (const [key, look] of this.#looks) {
      if (look.times === 0) this.#looks.delete(key);
      else entries.push(entryOf(look));
      look.times = 0;
    }
    return entries;
  }
}

/** Of a tier, for no incident and no goal, and over: what a person or an agent asks is on record each time. */
function isRoutine({ kind, principal, status, event, group }: NewEntry): boolean {
  const is_over = kind === "outcome" && (status === "done" || status === "failed");
  return is_over && principal.startsWith("tier:") && event === null && group === null;
}

function keyOf({ principal, tool, status, resources, reason, body }: NewEntry): string {
  const { took_ms: _took, output_bytes: _bytes, arguments: given, ...said } = body;
  return canonicalJson({ principal, tool, status, resources, reason, said, given: withoutTimes(given) });
}

function withoutTimes(value: unknown): unknown {
  if (typeof value === "number") return value >= wall_clock_min_ms ? "a time" : value;
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutTimes(member)]));
}

function entryOf({ first, times, from_ms, until_ms, last_call }: Look): NewEntry {
  return { ...first, kind: "repeats", status: null, body: { times, from_ms, until_ms, last_call } };
}
