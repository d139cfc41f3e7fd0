/** Times and spans that people write: `2h`, `30m`, `2026-02-03`, `2026-02-03T04:05`. */

import { InvalidArgumentError } from "commander";

const units_ms: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** @returns milliseconds, or null when it is no span */
function spanMs(text: string): number | null {
  const match = /^(\d{1,6})(s|m|h|d|w)$/.exec(text);
  return match === null ? null : Number(match[1]) * (units_ms[match[2] ?? ""] ?? 0);
}

/** For commander: a span like `2h`. @throws {InvalidArgumentError} */
export function span(text: string): number {
  const ms = spanMs(text);
  if (ms === null || ms === 0) throw new InvalidArgumentError("it is a number with s, m, h, d or w, for example 30m or 2h.");
  return ms;
}

/** For commander: a time (UTC unless it names a zone), or how long ago it was. @returns milliseconds since 1970 */
export function time(text: string, now_ms = Date.now()): number {
  const ago_ms = spanMs(text);
  if (ago_ms !== null) return Math.max(0, now_ms - ago_ms);
  const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  const at_ms = iso === null ? Number.NaN : Date.parse(`${iso[1]}T${iso[2] ?? "00:00"}${iso[3] ?? "Z"}`);
  if (Number.isNaN(at_ms) || at_ms < 0)
    throw new InvalidArgumentError("it is a time like 2026-02-03T04:05 (UTC), or how long ago: 30m, 2h, 7d.");
  return at_ms;
}
