/** Which value begins at a place, by the characters that stand there. */

import { kind } from "../kinds.ts";
import { ipv4At, ipv6At, macAt, uuidAt } from "./addresses.ts";
import { classAt, code, codeAt, digit, endOf, hex_letter, kindOf, letter, value, word_class } from "./chars.ts";
import { nameAt, pathAt, urlAt } from "./names.ts";
import { numberAt, versionAt } from "./numbers.ts";
import { namedTimeAt, timeAt } from "./times.ts";

const hash_lengths = new Set([32, 40, 56, 64, 96, 128]);
/** Letters and digits in one, this long: an identifier that a machine made. */
const id_chars_min = 16;
const hex_chars_min = 8;

/** A path, a signed number, or an IPv6 address that begins with colons. */
export function signedAt(text: string, at: number, char: number): number {
  const next = codeAt(at + 1);
  if (char === code.slash) return pathAt(at);
  if (char === code.dot || char === 126)
    return next === code.slash || (next === code.dot && codeAt(at + 2) === code.slash) ? pathAt(at) : 0;
  if (char === code.colon && next === code.colon) return ipv6At(at);
  if ((char === code.minus || char === code.plus) && next >= 48 && next <= 57) {
    const found = numberAt(text, at + 1);
    return kindOf(found) === kind.version ? 0 : found;
  }
  return 0;
}

/** The value that begins with this run of letters and digits, or 0. `next`: the character after the run. */
export function valueAt(text: string, at: number, end: number, classes: number, next: number): number {
  const length = end - at;
  if ((classes & letter) === 0) {
    const found = fixedFormAt(at, length, next, classes);
    if (found !== 0) return found;
  }
  if ((classes & digit) !== 0) {
    const found = withDigitsAt(text, at, end, classes, next);
    if (found !== 0) return found;
  } else if (length === 3 && codeAt(at) <= 90 && (next === code.space || next === code.comma)) {
    return namedTimeAt(text, at);
  }
  if (next === code.colon) return urlAt(end);
  if (next === code.dot || next === code.at || next === code.minus || next === code.plus) return nameAt(text, at);
  return 0;
}

/** Of digits and a-f alone. */
function fixedFormAt(at: number, length: number, next: number, classes: number): number {
  if (next === code.colon) {
    if (length === 2) {
      const mac = macAt(at);
      if (mac !== 0) return mac;
    }
    if (length <= 4) {
      const ipv6 = ipv6At(at);
      if (ipv6 !== 0) return ipv6;
    }
  } else if (next === code.minus) {
    if (length === 8) return uuidAt(at);
    if (length === 2 && classes !== digit) return macAt(at);
  } else if (next === code.dot && classes === digit && length <= 3) return ipv4At(at);
  return 0;
}

function withDigitsAt(text: string, at: number, end: number, classes: number, next: number): number {
  const first = codeAt(at);
  const length = end - at;
  if (first >= 48 && first <= 57) {
    if (next === code.colon || next === code.minus || next === code.slash || length >= 15) {
      const time = timeAt(text, at);
      if (time !== 0) return time;
    }
    if (first === code.zero && codeAt(at + 1) === code.x && length > 2) return hexAfterPrefix(at + 2, end);
    const number = numberAt(text, at);
    if (number !== 0) return isPid(at, end, number, next) ? value(end, kind.pid) : number;
  } else if ((first === 118 || first === 86) && next === code.dot && codeAt(at + 1) <= 57) {
    return versionAt(at + 1);
  }
  if ((classes & letter) === 0 && length >= hex_chars_min) return value(end, hash_lengths.has(length) ? kind.hash : kind.hex);
  if (length >= id_chars_min && (classes & word_class) > digit && digitsIn(at, end) >= 3) return value(end, kind.id);
  return 0;
}

function hexAfterPrefix(at: number, end: number): number {
  for (let n = at; n < end; n += 1) if ((classAt(n) & (digit | hex_letter)) === 0) return 0;
  return value(end, kind.hex);
}

function digitsIn(at: number, end: number): number {
  let count = 0;
  for (let n = at; n < end; n += 1) if (classAt(n) === digit) count += 1;
  return count;
}

/** `sshd[123]` */
function isPid(at: number, end: number, found: number, next: number): boolean {
  if (next !== code.close || endOf(found) !== end || kindOf(found) !== kind.number) return false;
  return at > 1 && codeAt(at - 1) === code.open && classAt(at - 2) !== 0;
}
