/** Points in time, in the forms that logs have. A time may hold spaces: it is one value all the same. */

import { kind } from "../kinds.ts";
import { classAt, classOf, code, codeAt, isDigit, skipDigits, skipWord, value } from "./chars.ts";

const months = new Set(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]);
const utc = [85, 84, 67] as const;
const gmt = [71, 77, 84] as const;
const weekdays = new Set(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);

/** From a digit on: a date, a time of day, or both. */
export function timeAt(text: string, at: number): number {
  const end = dateEnd(text, at);
  if (end === 0) return bounded(clockEnd(at));
  const joint = codeAt(end);
  const joins = joint === 84 || joint === code.space || joint === 95 || joint === code.colon || joint === code.minus;
  const clock = joins ? clockEnd(end + 1) : 0;
  return bounded(clock === 0 ? end : clock);
}

/** From a capital letter on: `Nov 28 10:11:12`, `Sat Nov 28 10:11:12 2026`, `Sat, 28 Nov 2026 10:11:12 GMT`. */
export function namedTimeAt(text: string, at: number): number {
  const name = text.slice(at, at + 3);
  if (months.has(name)) return bounded(monthFirstEnd(at));
  if (!weekdays.has(name)) return 0;
  const next = skipSpaces(codeAt(at + 3) === code.comma ? at + 4 : at + 3);
  if (next === at + 3) return 0;
  const end = months.has(text.slice(next, next + 3)) ? monthFirstEnd(next) : dayFirstEnd(text, next);
  return bounded(end);
}

/** `[   12.345678]`: seconds since boot, as the kernel writes them. From the bracket on; the value is between the brackets. */
export function bootSecondsEnd(at: number): number {
  const from = skipSpaces(at + 1);
  const dot = skipDigits(from);
  if (dot === from || codeAt(dot) !== code.dot) return 0;
  const end = skipDigits(dot + 1);
  return end === dot + 7 && codeAt(end) === code.close ? end : 0;
}

function bounded(end: number): number {
  return end === 0 || classAt(end) !== 0 ? 0 : value(end, kind.time);
}

function digitsAt(at: number, count: number): boolean {
  for (let n = 0; n < count; n += 1) if (!isDigit(at + n)) return false;
  return true;
}

/** `2026-11-28`, `2026/11/28`, `28/Nov/2026`, `28/11/2026`, `20261128T`. */
function dateEnd(text: string, at: number): number {
  if (digitsAt(at, 8) && codeAt(at + 8) === 84 && digitsAt(at + 9, 6)) return at + 8;
  const between = codeAt(at + 4);
  if ((between === code.minus || between === code.slash) && digitsAt(at, 4) && digitsAt(at + 5, 2)) {
    return codeAt(at + 7) === between && digitsAt(at + 8, 2) ? at + 10 : 0;
  }
  const first = skipDigits(at);
  if (first - at > 2 || codeAt(first) !== code.slash) return 0;
  const month = skipWord(first + 1);
  if (codeAt(month) !== code.slash) return 0;
  const numeric = isDigit(first + 1);
  if (numeric ? month - first > 3 : !months.has(text.slice(first + 1, month))) return 0;
  const year = skipDigits(month + 1);
  return year - month === 5 || year - month === 3 ? year : 0;
}

/** `10:11:12`, with a fraction and a zone; `101112` after a compact date. */
function clockEnd(at: number): number {
  let end = at;
  if (digitsAt(at, 6)) end = at + 6;
  else {
    const colon = skipDigits(at);
    if (colon === at || colon - at > 2 || codeAt(colon) !== code.colon || !digitsAt(colon + 1, 2)) return 0;
    if (codeAt(colon + 3) !== code.colon || !digitsAt(colon + 4, 2)) return 0;
    end = colon + 6;
  }
  const fraction = codeAt(end);
  if ((fraction === code.dot || fraction === code.comma) && isDigit(end + 1)) end = skipDigits(end + 1);
  else if (fraction === code.colon) return 0;
  return zoneEnd(end);
}

function zoneEnd(at: number): number {
  if (codeAt(at) === 90) return at + 1;
  const spaced = codeAt(at) === code.space;
  const sign_at = spaced ? at + 1 : at;
  const sign = codeAt(sign_at);
  if (sign === code.plus || sign === code.minus) {
    if (!digitsAt(sign_at + 1, 2)) return at;
    const minutes = codeAt(sign_at + 3) === code.colon ? sign_at + 4 : sign_at + 3;
    if (digitsAt(minutes, 2)) return minutes + 2;
    return spaced || classAt(sign_at + 3) !== 0 ? at : sign_at + 3;
  }
  return spaced && (spells(utc, sign_at) || spells(gmt, sign_at)) && classAt(sign_at + 3) === 0 ? sign_at + 3 : at;
}

function spells(letters: readonly number[], at: number): boolean {
  return letters.every((letter, n) => codeAt(at + n) === letter);
}

function monthFirstEnd(at: number): number {
  const day = skipSpaces(at + 3);
  const day_end = skipDigits(day);
  if (day === at + 3 || day_end === day || day_end - day > 2) return 0;
  const clock = clockEnd(skipSpaces(day_end));
  if (clock === 0) return 0;
  const year = clock + 1;
  const has_year = codeAt(clock) === code.space && digitsAt(year, 4) && classOf(codeAt(year + 4)) === 0;
  return has_year && (codeAt(year) === 49 || codeAt(year) === 50) ? year + 4 : clock;
}

function dayFirstEnd(text: string, at: number): number {
  const day = skipDigits(at);
  if (day === at || day - at > 2) return 0;
  const month = skipSpaces(day);
  if (!months.has(text.slice(month, month + 3))) return 0;
  const year = skipSpaces(month + 3);
  if (!digitsAt(year, 4)) return 0;
  return clockEnd(skipSpaces(year + 4));
}

function skipSpaces(at: number): number {
  let end = at;
  while (codeAt(end) === code.space) end += 1;
  return end;
}
