/** The pattern of a template: the words that its lines share, with marks where they differ. */

import type { ParameterKind } from "../../contracts/memory/templates.ts";
import { any, isMark, isPure, kindNamed } from "./kinds.ts";
import type { Words } from "./scan/words.ts";

export interface Value {
  readonly kind: ParameterKind;
  /** Text from outside. */
  readonly text: string;
}

/** What a word says about which template a line belongs to. */
const says = { nothing: 0, little: 1, much: 2, key: 3 } as const;

export function isKey(word: string): boolean {
  return word.length > 1 && word.endsWith("=");
}

/** For each word of a pattern what it says. A value after a key says less than a word of the sentence. */
export function weigh(pattern: readonly string[]): Uint8Array {
  const weights = new Uint8Array(pattern.length);
  for (const [at, word] of pattern.entries()) {
    if (isPure(word) || word === "") weights[at] = says.nothing;
    else if (isKey(word)) weights[at] = says.key;
    else weights[at] = at > 0 && isKey(pattern[at - 1] as string) ? says.little : says.much;
  }
  return weights;
}

/**
 * How alike a line and a pattern of as many words are, 0 to 1: the share of what the pattern says that the line says too.
 * Words of any value say half of what a word says, so that a pattern that became vague does not take everything.
 * Another key at one place: not alike at all.
 */
export function likeness(pattern: readonly string[], weights: Uint8Array, masked: readonly string[]): number {
  let same = 0;
  let all = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const word = pattern[at] as string;
    const weight = weights[at] as number;
    if (word === masked[at]) {
      const said = weight === says.key ? says.little : weight;
      same += said;
      all += said;
    } else if (weight === says.key) return 0;
    else all += word === any ? 1 : weight === says.nothing ? 1 : weight;
  }
  return all === 0 ? 1 : same / all;
}

/** The pattern of both; the same array when the line adds nothing. */
export function generalise(pattern: string[], masked: readonly string[]): string[] {
  let changed: string[] | null = null;
  for (let at = 0; at < pattern.length; at += 1) {
    const word = pattern[at] as string;
    const other = masked[at] as string;
    if (word === other || word === any || fits(word, other)) continue;
    changed ??= pattern.slice();
    changed[at] = common(word, other);
  }
  return changed ?? pattern;
}

const affixes = /^[[("'<{]*|[\])"'>},;:.!?]*$/g;

/** What two words have in common: punctuation around them, or nothing. */
function common(word: string, other: string): string {
  const [before = "", after = ""] = word.match(affixes) ?? [];
  if (before === "" && after === "") return any;
  const core = before.length + after.length;
  const alike = core < word.length && core <= other.length && other.startsWith(before) && other.endsWith(after);
  return alike ? before + any + after : any;
}

/** Whether a word is one of those that a word of a pattern with punctuation around any value stands for. */
function fits(word: string, other: string): boolean {
  const at = word.indexOf(any);
  if (at < 0) return false;
  return other.length >= word.length - 1 && other.startsWith(word.slice(0, at)) && other.endsWith(word.slice(at + 1));
}

/** The values of a line that belongs to the pattern, in the order of the marks in it. */
export function valuesOf(pattern: readonly string[], words: Words): Value[] {
  const values: Value[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const word = pattern[at] as string;
    const own = words.masked[at] as string;
    if (word === own) pushOwn(words, at, values);
    else if (word === any) values.push({ kind: isPure(own) ? kindNamed(own.charCodeAt(0)) : "text", text: words.raw(at) });
    else {
      const before = word.indexOf(any);
      const raw = words.raw(at);
      values.push({ kind: "text", text: raw.slice(before, raw.length - (word.length - before - 1)) });
    }
  }
  return values;
}

function pushOwn(words: Words, at: number, values: Value[]): void {
  const end = words.values_from[at + 1] as number;
  for (let n = words.values_from[at] as number; n < end; n += 1) {
    values.push({
      kind: kindNamed(words.value_kind[n] as number),
      text: words.text.slice(words.value_from[n], words.value_to[n]),
    });
  }
}

/** Puts values back in the places of the marks: the line as it was taken apart. */
export function fill(pattern: readonly string[], values: readonly Pick<Value, "text">[]): string {
  let next = 0;
  const words = pattern.map((word) => {
    let filled = "";
    for (const char of word) filled += isMark(char.charCodeAt(0)) ? (values[next++]?.text ?? "") : char;
    return filled;
  });
  return join(words);
}

/** Words as one line: what follows `key=` stands at it. */
export function join(words: readonly string[]): string {
  let line = "";
  for (const [at, word] of words.entries()) {
    const glued = at === 0 || isKey(words[at - 1] as string);
    line += glued ? word : ` ${word}`;
  }
  return line;
}

/** The line as it was taken apart. */
export function rawLine(words: Words): string {
  return join(Array.from({ length: words.count }, (_, at) => words.raw(at)));
}

export function anyOf(count: number): string[] {
  return new Array<string>(count).fill(any);
}
