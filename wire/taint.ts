/**
 * Which arguments derive from text of outside. The caller says so (`tainted`); besides, what a tool whose answers are
 * tainted has told a principal is remembered, and an argument that repeats a piece of it is marked too, whether the caller
 * says so or not: a model that was talked into something does not tell.
 */

import type { Principal } from "../contracts/tool.ts";

/** Shorter pieces are in every text. */
const piece_chars_min = 8;
/** Pieces remembered of each principal, the oldest forgotten first. */
const pieces_max = 20_000;
/** A longer string is looked at up to here. */
const looked_at_chars_max = 65_536;
const sentence_marks = /[:.!?]+$/;
const separators = /[\s"'`<>()[\]{},;|=]+/;

export class Taint {
  readonly #heard = new Map<Principal, Set<string>>();

  /** A tainted answer that `principal` is given. @param said its own arguments: what only repeats them is not news */
  hear(principal: Principal, answer: unknown, said: unknown = null): void {
    let heard = this.#heard.get(principal);
    if (heard === undefined) {
      heard = new Set();
      this.#heard.set(principal, heard);
    }
    const own = new Set([...strings(said, "")].flatMap(([, text]) => piecesOf(text)));
    for (const [, text] of strings(answer, ""))
      for (const piece of piecesOf(text)) {
        if (own.has(piece) && !heard.has(piece)) continue;
        heard.delete(piece);
        heard.add(piece);
      }
    for (const piece of heard) {
      if (heard.size <= pieces_max) break;
      heard.delete(piece);
    }
  }

  /** Pointers to the arguments that are tainted: those named by the caller, and those that repeat what was heard. */
  marks(principal: Principal, args: unknown, named: readonly string[]): string[] {
    const marks = new Set(named);
    const heard = this.#heard.get(principal);
    if (heard !== undefined && heard.size > 0)
      for (const [pointer, text] of strings(args, "")) if (piecesOf(text).some((piece) => heard.has(piece))) marks.add(pointer);
    return [...marks].sort();
  }
}

/** The whole text, and its words, without what a sentence puts after them; of a path also each name in it. */
function piecesOf(text: string): string[] {
  const looked_at = text.slice(0, looked_at_chars_max);
  const words = looked_at.split(separators).flatMap((word) => [word, word.replace(sentence_marks, "")]);
  const names = words.flatMap((word) => (word.includes("/") ? word.split("/") : []));
  return [...new Set([looked_at.trim(), ...words, ...names])].filter((piece) => piece.length >= piece_chars_min);
}

function* strings(value: unknown, pointer: string): Generator<[pointer: string, text: string]> {
  if (typeof value === "string") yield [pointer, value];
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* strings(item, `${pointer}/${index}`);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) {
      const inner = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      yield [inner, key];
      yield* strings(item, inner);
    }
}
