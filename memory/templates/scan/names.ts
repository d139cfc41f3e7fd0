/** Paths, URLs, names of hosts, units and accounts, and what stands in quotes. */

import { kind } from "../kinds.ts";
import { classAt, classOf, code, codeAt, skipDigits, value } from "./chars.ts";

const top_domains = new Set(
  "com net org io dev edu gov mil int info biz eu de uk fr nl ch at us cn jp ru br in au ca local lan home internal intern localdomain example test invalid arpa onion cloud app".split(
    " ",
  ),
);
const unit_types = new Set("service socket target timer mount automount slice scope swap device".split(" "));

const quoted_chars_max = 2048;
const ends_path = charSet(" \"'<>|,;()[]{}`:");
const ends_url = charSet(" \"'<>|`()[]{},;");
const trimmed = charSet(".,:;!?");
const in_name = charSet("._+-");

function charSet(chars: string): Uint8Array {
  const set = new Uint8Array(129);
  for (const char of chars) set[char.charCodeAt(0)] = 1;
  return set;
}

function isIn(set: Uint8Array, char: number): boolean {
  return set[char] === 1;
}

function skipUntil(at: number, ends: Uint8Array): number {
  let end = at;
  while (codeAt(end) !== 0 && !isIn(ends, codeAt(end))) end += 1;
  while (end > at && isIn(trimmed, codeAt(end - 1))) end -= 1;
  return end;
}

/** From `/`, `./`, `../` or `~/` on. */
export function pathAt(at: number): number {
  let slash = at;
  while (slash - at < 3 && codeAt(slash) !== code.slash) slash += 1;
  if (codeAt(slash) !== code.slash) return 0;
  const end = skipUntil(slash + 1, ends_path);
  return value(Math.max(end, slash + 1), kind.path);
}

/** `at_end`: where the name of the scheme ends. */
export function urlAt(scheme_end: number): number {
  if (codeAt(scheme_end + 1) !== code.slash || codeAt(scheme_end + 2) !== code.slash) return 0;
  const end = skipUntil(scheme_end + 3, ends_url);
  return end === scheme_end + 3 ? 0 : value(end, kind.url);
}

/** `user@host`, `a.example.com`, `nginx.service`. */
export function nameAt(text: string, at: number): number {
  let end = nameEnd(at);
  if (codeAt(end) === code.at && classAt(end + 1) !== 0) {
    end = trimmedEnd(nameEnd(end + 1));
    return value(end, unit_types.has(lastLabel(text, at, end)) ? kind.unit : kind.account);
  }
  end = trimmedEnd(end);
  const label = lastLabel(text, at, end);
  if (label === "") return 0;
  if (unit_types.has(label)) return value(end, kind.unit);
  if (!top_domains.has(label)) return 0;
  const port = codeAt(end) === code.colon ? skipDigits(end + 1) : end;
  return value(port > end + 1 && classAt(port) === 0 ? port : end, kind.host);
}

function nameEnd(at: number): number {
  let end = at;
  for (;;) {
    const char = codeAt(end);
    if (classOf(char) === 0 && !isIn(in_name, char)) return end;
    end += 1;
  }
}

function trimmedEnd(at: number): number {
  let end = at;
  while (end > 0 && isIn(in_name, codeAt(end - 1))) end -= 1;
  return end;
}

/** What stands after the last dot of a name; empty when it has none, or begins with it. */
function lastLabel(text: string, at: number, end: number): string {
  const dot = text.lastIndexOf(".", end - 1);
  return dot <= at ? "" : text.slice(dot + 1, end);
}

/** From the opening quote on. @returns where the closing one is, or 0 */
export function closingQuote(at: number): number {
  const quote = codeAt(at);
  const limit = at + quoted_chars_max;
  for (let end = at + 1; end < limit; end += 1) {
    const char = codeAt(end);
    if (char === 0) return 0;
    if (char === code.backslash) end += 1;
    else if (char === quote && classAt(end + 1) === 0) return end;
  }
  return 0;
}

/** Whether what stands between these quotes is a name before a colon, as in JSON. */
export function isKey(open: number, close: number): boolean {
  if (codeAt(close + 1) !== code.colon || close === open + 1) return false;
  for (let at = open + 1; at < close; at += 1) if (classAt(at) === 0 && !isIn(in_name, codeAt(at))) return false;
  return true;
}
