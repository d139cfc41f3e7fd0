/** Network addresses and identifiers of fixed form. */

import { kind } from "../kinds.ts";
import { classAt, code, codeAt, hex_class, isDigit, skipDigits, value } from "./chars.ts";

function skipHex(at: number): number {
  let end = at;
  while ((classAt(end) & hex_class) !== 0) end += 1;
  return end;
}

function numberIn(from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum = sum * 10 + codeAt(at) - code.zero;
  return sum;
}

/** With a port or a prefix length, when it has one. */
export function ipv4At(at: number): number {
  let end = at;
  for (let octet = 0; octet < 4; octet += 1) {
    if (octet > 0) {
      if (codeAt(end) !== code.dot) return 0;
      end += 1;
    }
    const digits_end = skipDigits(end);
    if (digits_end === end || digits_end - end > 3 || numberIn(end, digits_end) > 255) return 0;
    end = digits_end;
  }
  if (classAt(end) !== 0 || (codeAt(end) === code.dot && isDigit(end + 1))) return 0;
  return value(withPort(end), kind.ip);
}

function withPort(at: number): number {
  const joint = codeAt(at);
  if (joint !== code.colon && joint !== code.slash) return at;
  const end = skipDigits(at + 1);
  return end === at + 1 || end - at > 6 || classAt(end) !== 0 ? at : end;
}

/** From its first hexadecimal digit or colon on; with a zone or a prefix length, when it has one. */
export function ipv6At(at: number): number {
  let end = at;
  let groups = 0;
  let short = false;
  for (;;) {
    const group_end = skipHex(end);
    if (group_end - end > 4) return 0;
    if (group_end > end) groups += 1;
    end = group_end;
    if (codeAt(end) !== code.colon) break;
    const next_colon = codeAt(end + 1) === code.colon;
    if (next_colon) {
      if (short) return 0;
      short = true;
      end += 2;
    } else if ((classAt(end + 1) & hex_class) === 0) break;
    else end += 1;
  }
  if (groups > 8 || (short ? groups === 8 : groups !== 8) || (short && groups === 0 && end - at < 2)) return 0;
  if (codeAt(end) === code.dot && short) end = mappedEnd(end);
  if (codeAt(end) === code.percent) {
    end += 1;
    while (classAt(end) !== 0) end += 1;
  }
  if (end === 0 || classAt(end) !== 0) return 0;
  return value(codeAt(end) === code.slash ? withPort(end) : end, kind.ip);
}

/** `::ffff:192.0.2.1`: from the first dot on. */
function mappedEnd(dot: number): number {
  let end = dot;
  for (let octet = 0; octet < 3; octet += 1) {
    if (codeAt(end) !== code.dot || !isDigit(end + 1)) return dot;
    end = skipDigits(end + 1);
  }
  return end;
}

/** Six pairs or more: the kernel writes whole headers that way. */
export function macAt(at: number): number {
  const joint = codeAt(at + 2);
  if (joint !== code.colon && joint !== code.minus) return 0;
  let end = at;
  let pairs = 0;
  for (;;) {
    if (skipHex(end) !== end + 2) return 0;
    pairs += 1;
    end += 2;
    if (codeAt(end) !== joint || (classAt(end + 1) & hex_class) === 0) break;
    end += 1;
  }
  return pairs < 6 || classAt(end) !== 0 ? 0 : value(end, kind.mac);
}

const uuid_groups = [8, 4, 4, 4, 12] as const;

export function uuidAt(at: number): number {
  let end = at;
  for (const length of uuid_groups) {
    if (length !== 8 && codeAt(end) !== code.minus) return 0;
    const from = length === 8 ? end : end + 1;
    end = skipHex(from);
    if (end - from !== length) return 0;
  }
  return classAt(end) !== 0 ? 0 : value(end, kind.uuid);
}
