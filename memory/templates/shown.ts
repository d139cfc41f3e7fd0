/**
 * A template as a model may see it. This is a border: text that somebody outside wrote must not reach a model as if the
 * system said it. What is in the place of a parameter is never shown here. Of the other words are shown
 *
 *   those of the vocabulary (vocabulary.ts), always;
 *   others only of a confirmed template: `confirmed_lines` lines in `confirmed_minutes` different minutes had the word in this
 *   place, it looks like a word, and there are few of them: two in a row, four in all.
 *
 * Everything else becomes `<word>`. Who writes the same line for minutes can still get single words of his own shown: hence
 * what comes out stays text from outside, and whoever hands it to a model marks it so.
 */

import { any, isMark, kindNamed } from "./kinds.ts";
import { isKey } from "./pattern.ts";
import { inVocabulary } from "./vocabulary.ts";

const confirmed_lines = 10;
const confirmed_minutes = 3;
/** Words outside the vocabulary: in a row, and in all. */
const foreign_row_max = 2;
const foreign_max = 4;
const shown_chars_max = 1000;
const looks_like_word = /^[\x21-\x7e]{1,32}$/;

export interface Seen {
  readonly lines: number;
  /** Different minutes in which a line came. */
  readonly minutes: number;
}

/** Whether a template was seen too little for its rare words to be shown. */
export function isProvisional({ lines, minutes }: Seen): boolean {
  return lines < confirmed_lines || minutes < confirmed_minutes;
}

export function shown(pattern: readonly string[], seen: Seen): string {
  const provisional = isProvisional(seen);
  let line = "";
  let in_row = 0;
  let foreign = 0;
  for (const [at, word] of pattern.entries()) {
    const known = isKnown(word);
    const is_value = !known && hasMark(word);
    in_row = known || is_value ? 0 : in_row + 1;
    if (!known) foreign += 1;
    const too_many = in_row > foreign_row_max || foreign > foreign_max;
    const hidden = !known && (provisional || too_many || !looks_like_word.test(withoutMarks(word)));
    const glued = at === 0 || isKey(pattern[at - 1] as string);
    line += `${glued ? "" : " "}${hidden ? hiddenWord(word) : named(word)}`;
    if (line.length > shown_chars_max) return `${line.slice(0, shown_chars_max)}…`;
  }
  return line;
}

/** What of it is not a mark is punctuation or of the vocabulary. */
function isKnown(word: string): boolean {
  const parts = word.split(punctuation);
  return parts.every((part) => part === "" || inVocabulary(part));
}

function hasMark(word: string): boolean {
  for (let at = 0; at < word.length; at += 1) if (isMark(word.charCodeAt(at))) return true;
  return false;
}

const marks = /\p{Cc}/gu;

const punctuation = /[\p{Cc}!-/:-@[-`{-~]+/u;
/** All but marks and ASCII punctuation. */
const letters = /[^\p{Cc}!-/:-@[-`{-~]+/gu;
const hidden_chars_max = 80;

function withoutMarks(word: string): string {
  return word.replace(marks, " ").trim();
}

function named(word: string): string {
  return word.replace(marks, (mark) => `<${mark === any ? "text" : kindNamed(mark.charCodeAt(0))}>`);
}

/** The kinds of its values and its punctuation stay; its letters go. */
function hiddenWord(word: string): string {
  const hidden = named(word.replace(letters, "<word>"));
  return hidden.length > hidden_chars_max ? "<word>" : hidden;
}
