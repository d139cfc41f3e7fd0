/** Classes of characters, and small steps over them. What is past the end reads as 0, which is in no class. */

import { limits } from "../limits.ts";

export const digit = 1;
/** a-f and A-F. */
export const hex_letter = 2;
/** Other letters, `_`, and everything beyond ASCII. */
export const letter = 4;
export const word_class = digit | hex_letter | letter;
export const hex_class = digit | hex_letter;

const classes = new Uint8Array(129);
classes[128] = letter;
for (let code = 0; code < 128; code += 1) {
  const char = String.fromCharCode(code);
  if (/[0-9]/.test(char)) classes[code] = digit;
  else if (/[a-fA-F]/.test(char)) classes[code] = hex_letter;
  else if (/[g-zG-Z_]/.test(char)) classes[code] = letter;
}

export function classOf(code: number): number {
  return classes[code] as number;
}

/**
 * The characters of the line in work, all beyond ASCII as 128, then zeros. Everything in this folder reads them here: an
 * array of bytes is read twice as fast as a string, and there is one line at a time.
 */
const codes = new Uint8Array(2 * limits.line_chars_max + 64);

/** Takes a line in work. @returns whether it is printable ASCII throughout */
export function load(text: string): boolean {
  const { length } = text;
  let plain = true;
  for (let at = 0; at < length; at += 1) {
    const char = text.charCodeAt(at);
    codes[at] = Math.min(char, 128);
    if (char < 32 || char > 126) plain = false;
  }
  codes.fill(0, length, length + 64);
  return plain;
}

export function codeAt(at: number): number {
  return codes[at] as number;
}

export function classAt(at: number): number {
  return classes[codes[at] as number] as number;
}

export function isDigit(at: number): boolean {
  return classAt(at) === digit;
}

export function skipDigits(at: number): number {
  let end = at;
  while (classAt(end) === digit) end += 1;
  return end;
}

/** The end of letters, digits and `_` from here. */
export function skipWord(at: number): number {
  let end = at;
  while (classAt(end) !== 0) end += 1;
  return end;
}

/** A value as one number: where it ends and of which kind it is. 0: there is none. */
export function value(end: number, kind: number): number {
  return (end << 5) | kind;
}
export function endOf(found: number): number {
  return found >> 5;
}
export function kindOf(found: number): number {
  return found & 31;
}

export const code = {
  space: 32,
  quote: 34,
  percent: 37,
  apostrophe: 39,
  plus: 43,
  comma: 44,
  minus: 45,
  dot: 46,
  slash: 47,
  zero: 48,
  colon: 58,
  equals: 61,
  at: 64,
  open: 91,
  backslash: 92,
  close: 93,
  backtick: 96,
  brace: 123,
  x: 120,
} as const;
