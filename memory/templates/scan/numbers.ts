/** Numbers, with fraction, exponent and unit; versions. */

import { kind } from "../kinds.ts";
import { classAt, code, codeAt, digit, isDigit, skipDigits, skipWord, value } from "./chars.ts";

const units: ReadonlyMap<string, number> = new Map([
  ...["ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "h", "hr", "hrs", "hours", "d", "days"].map(
    (unit) => [unit, kind.duration] as const,
  ),
  ...["B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "K", "M", "G", "T", "k", "Ki", "Mi", "Gi", "bytes"].map(
    (unit) => [unit, kind.size] as const,
  ),
  ...["Hz", "kHz", "MHz", "GHz", "V", "mV", "W", "mW", "C", "rpm", "bps", "kbps", "Kbps", "Mbps", "mbps", "Gbps", "th"].map(
    (unit) => [unit, kind.number] as const,
  ),
]);
const unit_chars_max = 7;

/** From a digit on. @returns 0 when it is a part of something else */
export function numberAt(text: string, at: number): number {
  let end = skipDigits(at);
  if (codeAt(end) === code.dot && isDigit(end + 1)) {
    end = skipDigits(end + 1);
    if (codeAt(end) === code.dot && isDigit(end + 1)) return versionAt(at);
  }
  const after = codeAt(end);
  if (after === code.percent) return value(end + 1, kind.percent);
  const follows = classAt(end);
  if (follows === 0) return value(end, kind.number);
  return withUnit(text, end);
}

/** `end`: where the digits of a number end and letters begin. */
function withUnit(text: string, end: number): number {
  const run_end = skipWord(end);
  const unit = run_end - end > unit_chars_max ? undefined : units.get(text.slice(end, run_end));
  if (unit !== undefined) return value(run_end, unit);
  if (codeAt(end) === 101) return exponentAt(end + 1);
  return durationAt(text, end);
}

function exponentAt(at: number): number {
  const sign = codeAt(at);
  const from = sign === code.plus || sign === code.minus ? at + 1 : at;
  const end = skipDigits(from);
  return end > from && classAt(end) === 0 ? value(end, kind.number) : 0;
}

/** `1h30m`, `2m0.5s`: from its first unit on. */
function durationAt(text: string, at: number): number {
  let end = at;
  for (;;) {
    const unit_from = end;
    while (classAt(end) > digit) end += 1;
    if (end === unit_from || units.get(text.slice(unit_from, end)) !== kind.duration) return 0;
    if (classAt(end) === 0) return value(end, kind.duration);
    end = skipDigits(end);
    if (codeAt(end) === code.dot && isDigit(end + 1)) end = skipDigits(end + 1);
  }
}

/** Three numbers or more between dots, and what Debian or a release may add to them: `1.2.3-4+deb13u1`. */
export function versionAt(at: number): number {
  let end = skipDigits(at);
  let numbers = 1;
  while (codeAt(end) === code.dot && isDigit(end + 1)) {
    end = skipDigits(end + 1);
    numbers += 1;
  }
  if (numbers < 2) return 0;
  for (;;) {
    const run_end = skipWord(end);
    const joint = codeAt(run_end);
    end = run_end;
    const joins = joint === code.dot || joint === code.minus || joint === code.plus || joint === 126;
    if (!joins || classAt(run_end + 1) === 0) return value(end, kind.version);
    end = run_end + 1;
  }
}
