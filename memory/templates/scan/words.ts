/**
 * Takes a line apart: words between spaces, and in each word what is a value. One pass over the characters, without
 * regular expressions, so that no line can make it slow. The object is used again for each line.
 *
 * A word `key=value` is two words, `key=` and the value (which may be empty): what stands at the key then stays in one
 * place whatever the value is.
 */

import { kind, mark } from "../kinds.ts";
import { limits } from "../limits.ts";
import { classAt, classOf, code, codeAt, digit, endOf, kindOf } from "./chars.ts";
import { closingQuote, isKey } from "./names.ts";
import { bootSecondsEnd } from "./times.ts";
import { signedAt, valueAt } from "./values.ts";

const values_max = limits.line_chars_max;

/** What a word is for the way to a leaf. `heading`: `sshd:`, `[instance`; it says who speaks, and what follows says what. */
export const leading = { nowhere: 0, word: 1, heading: 2 } as const;

export class Words {
  text = "";
  count = 0;
  /** Each word with its values replaced by their marks. */
  readonly masked: string[] = new Array<string>(limits.words_max + 1).fill("");
  /** Whether a word leads to a leaf of the tree (tree.ts). */
  readonly leads = new Uint8Array(limits.words_max + 1);
  readonly from = new Int32Array(limits.words_max + 1);
  readonly to = new Int32Array(limits.words_max + 1);
  /** The first value of each word; those of word `n` end where those of `n + 1` begin. */
  readonly values_from = new Int32Array(limits.words_max + 2);
  readonly value_from = new Int32Array(values_max);
  readonly value_to = new Int32Array(values_max);
  readonly value_kind = new Uint8Array(values_max);
  #values = 0;
  /** Of the word in work: where it began, what of it is copied, and its masked form up to there. */
  #begin = 0;
  #copied = 0;
  #done = "";
  #letters = false;
  #digits = false;
  #after_key = false;

  /** @param text cleaned and loaded (chars.ts): no control characters @param rest what follows the line, which is one value; may be empty */
  scan(text: string, rest: string): void {
    const whole = rest === "" ? text : `${text} ${rest}`;
    const length = text.length;
    this.text = whole;
    this.count = 0;
    this.#values = 0;
    let at = 0;
    for (;;) {
      while (codeAt(at) === code.space) at += 1;
      if (at >= length) break;
      // a word can become two: the last place is for the rest
      if (this.count >= limits.words_max - 1) {
        this.#rest(at, whole.length);
        return;
      }
      at = this.#word(text, at);
    }
    if (rest !== "") this.#rest(length + 1, whole.length);
    else if (this.count === 0) {
      // an empty line is one empty word
      this.#open(length);
      this.#close(length);
    }
    this.values_from[this.count] = this.#values;
  }

  /** The word as it stood in the line. */
  raw(word: number): string {
    return this.text.slice(this.from[word], this.to[word]);
  }

  #rest(from: number, to: number): void {
    this.#open(from);
    this.#value(from, to, kind.rest);
    this.#close(to);
    this.values_from[this.count] = this.#values;
  }

  #open(at: number): void {
    this.#begin = at;
    this.#copied = at;
    this.#done = "";
    this.#letters = false;
    this.#digits = false;
    this.#after_key = false;
    this.values_from[this.count] = this.#values;
  }

  #value(from: number, to: number, kind_code: number): void {
    const n = this.#values;
    this.value_from[n] = from;
    this.value_to[n] = to;
    this.value_kind[n] = kind_code;
    this.#values = n + 1;
    this.#done =
      from === this.#copied ? this.#done + (mark[kind_code] as string) : this.#done + this.text.slice(this.#copied, from) + mark[kind_code];
    this.#copied = to;
  }

  #close(to: number): void {
    const n = this.count;
    const copied = this.#copied;
    this.masked[n] =
      copied === to ? this.#done : this.#done === "" ? this.text.slice(copied, to) : this.#done + this.text.slice(copied, to);
    this.leads[n] = this.#leads(to);
    this.from[n] = this.#begin;
    this.to[n] = to;
    this.count = n + 1;
  }

  /** A word with a value or a digit in it, in parentheses or after a key leads nowhere: it will be different in the next line. */
  #leads(to: number): number {
    if (!this.#letters || this.#digits || this.#after_key || this.#done !== "") return leading.nowhere;
    const first = codeAt(this.#begin);
    if (first === 40) return leading.nowhere;
    return first === code.open || codeAt(to - 1) === code.colon ? leading.heading : leading.word;
  }

  /** @returns where the word ends */
  #word(text: string, begin: number): number {
    this.#open(begin);
    let at = begin;
    let key_seen = false;
    for (;;) {
      const char = codeAt(at);
      const class_here = classOf(char);
      if (class_here !== 0) {
        at = this.#run(text, at, at === begin);
        continue;
      }
      if (char === code.space || at >= text.length) break;
      if (char === code.equals && !key_seen && this.#done === "" && isName(this.#begin, at)) {
        this.#close(at + 1);
        this.#open(at + 1);
        this.#after_key = true;
        at += 1;
        key_seen = true;
        continue;
      }
      at = this.#sign(text, at, char);
    }
    this.#close(at);
    return at;
  }

  /** From a letter or digit on, where a value can begin. @returns where to go on */
  #run(text: string, at: number, first: boolean): number {
    let classes = 0;
    let end = at;
    for (;;) {
      const class_here = classAt(end);
      if (class_here === 0) break;
      classes |= class_here;
      end += 1;
    }
    const next = codeAt(end);
    if ((classes & digit) === 0) {
      this.#letters = true;
      if (next === 0 || next === code.space || next === code.comma) {
        if (!first || end - at !== 3 || codeAt(at) > 90) return end;
      }
    }
    const found = valueAt(text, at, end, classes, next);
    if (found === 0) {
      if ((classes & digit) !== 0) this.#digits = true;
      return end;
    }
    this.#value(at, endOf(found), kindOf(found));
    return endOf(found);
  }

  /** At any other character. @returns where to go on */
  #sign(text: string, at: number, char: number): number {
    if (at > this.#begin && (classAt(at - 1) !== 0 || this.#copied === at)) return at + 1;
    if (char === code.quote || char === code.apostrophe || char === code.backtick) return this.#quoted(at);
    if (char === code.open && at === this.#begin) {
      const end = bootSecondsEnd(at);
      if (end !== 0) this.#value(at + 1, end, kind.time);
      return end === 0 ? at + 1 : end;
    }
    const found = signedAt(text, at, char);
    if (found === 0) return at + 1;
    this.#value(at, endOf(found), kindOf(found));
    return endOf(found);
  }

  #quoted(at: number): number {
    const close = closingQuote(at);
    if (close === 0 || isRequest(at + 1)) return at + 1;
    if (!isKey(at, close)) this.#value(at + 1, close, kind.quoted);
    return close + 1;
  }
}

/** A name, and what may open before it: `(uid`. */
function isName(from: number, to: number): boolean {
  let at = from;
  while (at < to && classAt(at) === 0) at += 1;
  if (at === to || classAt(at) === digit) return false;
  for (; at < to; at += 1) {
    const char = codeAt(at);
    if (classOf(char) === 0 && char !== code.minus && char !== code.dot) return false;
  }
  return true;
}

/** `GET /`: what an HTTP server quotes is looked at by word, because its method says what happened. */
function isRequest(at: number): boolean {
  let end = at;
  while (codeAt(end) >= 65 && codeAt(end) <= 90) end += 1;
  return end - at >= 3 && codeAt(end) === code.space && codeAt(end + 1) === code.slash;
}
