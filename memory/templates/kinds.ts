/**
 * What a parameter can be. In the pattern of a template each kind is one control character, which no cleaned line
 * holds: a line cannot pretend to have a parameter, and to compare words stays to compare strings.
 */

import { ParameterKind } from "../../contracts/memory/templates.ts";

/** By number; the number is the character's code. */
export const kinds = ["none", ...ParameterKind.options] as const;

export const kind = {
  text: 1,
  number: 2,
  duration: 3,
  size: 4,
  percent: 5,
  time: 6,
  ip: 7,
  mac: 8,
  uuid: 9,
  hex: 10,
  hash: 11,
  path: 12,
  url: 13,
  host: 14,
  unit: 15,
  account: 16,
  version: 17,
  pid: 18,
  quoted: 19,
  id: 20,
  rest: 21,
} as const;

/** The character of each kind. */
export const mark: readonly string[] = kinds.map((_, code) => String.fromCharCode(code));
/** A word of which nothing is the same in all lines. */
export const any = String.fromCharCode(kind.text);

export function isMark(code: number): boolean {
  return code > 0 && code < kinds.length;
}

/** Whether a word is one parameter and nothing else. */
export function isPure(word: string): boolean {
  return word.length === 1 && isMark(word.charCodeAt(0));
}

export function kindNamed(code: number): ParameterKind {
  const name = kinds[code];
  return name === undefined || name === "none" ? "text" : name;
}
