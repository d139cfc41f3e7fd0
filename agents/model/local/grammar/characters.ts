/** Sets of characters, as they stand within a JSON string. */

import type { AST } from "@eslint-community/regexpp";

/** Code points, both ends included. */
export type CharacterRange = readonly [from: number, to: number];

const last = 0x10ffff;
const quote = 0x22;
const backslash = 0x5c;
/** No characters by themselves, and what a model's vocabulary has no use for. */
const left_out: readonly CharacterRange[] = [
  [0, 0x1f],
  [0x7f, 0x9f],
  [0xd800, 0xdfff],
  [0xfffe, 0xffff],
];
const digits: readonly CharacterRange[] = [[0x30, 0x39]];
const word: readonly CharacterRange[] = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const blank: readonly CharacterRange[] = [[0x20, 0x20]];

/** One character of the set; a quote and a backslash, and line breaks where any character may come, as JSON escapes them. */
export function characters(ranges: readonly CharacterRange[]): string {
  const is_any = ranges.some(([from, to]) => from <= 0x20 && to >= last);
  const plain = left_out.reduce(cutOut, ranges).flatMap((range) => cutOut(cutOut([range], [quote, quote]), [backslash, backslash]));
  const has = (code: number): boolean => ranges.some(([from, to]) => from <= code && code <= to);
  const ways = [
    ...(plain.length > 0 ? [`[${plain.map(written).join("")}]`] : []),
    ...(has(quote) ? ['"\\\\\\""'] : []),
    ...(has(backslash) ? ['"\\\\\\\\"'] : []),
    ...(is_any ? ['"\\\\n"', '"\\\\t"'] : []),
  ];
  return ways.length === 1 ? (ways[0] ?? "") : `(${ways.join(" | ")})`;
}

function cutOut(ranges: readonly CharacterRange[], [from, to]: CharacterRange): CharacterRange[] {
  return ranges.flatMap(([low, high]): CharacterRange[] => {
    if (to < low || from > high) return [[low, high]];
    return [...(low < from ? [[low, from - 1] as const] : []), ...(high > to ? [[to + 1, high] as const] : [])];
  });
}

function written([from, to]: CharacterRange): string {
  return from === to ? code(from) : `${code(from)}-${code(to)}`;
}

function code(point: number): string {
  if (point <= 0xff) return `\\x${point.toString(16).padStart(2, "0")}`;
  return point <= 0xffff ? `\\u${point.toString(16).padStart(4, "0")}` : `\\U${point.toString(16).padStart(8, "0")}`;
}

/** @throws when it is none that is known here */
export function setOf(element: AST.CharacterSet | AST.CharacterClass | AST.UnicodeSetsCharacterClass): CharacterRange[] {
  if (element.type === "CharacterSet") return knownSet(element);
  const ranges = element.elements.flatMap((one): CharacterRange[] => {
    if (one.type === "Character") return [[one.value, one.value]];
    if (one.type === "CharacterClassRange") return [[one.min.value, one.max.value]];
    if (one.type === "CharacterSet") return knownSet(one);
    throw new Error("it is another kind of set");
  });
  return element.negate ? allBut(ranges) : ranges;
}

function knownSet(set: AST.CharacterSet): CharacterRange[] {
  if (set.kind === "any") return [[0x20, last]];
  const known = set.kind === "digit" ? digits : set.kind === "word" ? word : set.kind === "space" ? blank : null;
  if (known === null) throw new Error("it is a property of Unicode");
  return "negate" in set && set.negate ? allBut(known) : [...known];
}

function allBut(ranges: readonly CharacterRange[]): CharacterRange[] {
  return ranges.reduce<readonly CharacterRange[]>(cutOut, [[0x20, last]]).map(([from, to]) => [from, to]);
}
