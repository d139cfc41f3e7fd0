/** Text to tokens and back. */

import { type LlamaModel, token_attribute_control } from "../../../wire/llama.ts";
import type { PromptPart } from "./prompt.ts";

/** Tokens whose text is looked at again with the next: a character may be cut into up to four. */
const held_back_max = 8;
const replacement = "\uFFFD";

/** What of a model cuts text into tokens. */
export type Vocabulary = Pick<
  LlamaModel,
  "tokenize" | "getTokenString" | "getTokenAttributes" | "isEogToken" | "shouldPrependBosToken" | "tokenBos"
>;

export class Tokeniser {
  readonly #model: Vocabulary;
  /** Tokens that text of the template became and that are no text: what outside text must not contain. */
  readonly #special = new Set<number>();
  readonly #no_text = new Map<number, boolean>();

  constructor(model: Vocabulary) {
    this.#model = model;
  }

  /** Part by part, so that no token spans two of them. */
  prompt(parts: readonly PromptPart[]): number[] {
    const tokens: number[] = [];
    for (const { text, special } of parts) {
      if (special) tokens.push(...this.#templateTokens(text));
      else this.#addPlain(text, tokens);
    }
    const begin = this.#model.tokenBos();
    if (this.#model.shouldPrependBosToken() && begin >= 0 && tokens[0] !== begin) tokens.unshift(begin);
    return tokens;
  }

  /** Of text that somebody wrote: no special tokens, whatever it says. */
  plain(text: string): number[] {
    const tokens: number[] = [];
    this.#addPlain(text, tokens);
    return tokens;
  }

  #templateTokens(text: string): Uint32Array {
    const tokens = this.#model.tokenize(text, true);
    const plain = new Set(this.#model.tokenize(text, false));
    for (const token of tokens) if (!plain.has(token)) this.#special.add(token);
    return tokens;
  }

  /**
   * llama.cpp leaves tokens of control alone here. It does not those that a model file calls `user-defined`, and some files
   * call their marks of turns so: such a word is cut in two until it is none.
   */
  #addPlain(text: string, into: number[]): void {
    for (const token of this.#model.tokenize(text, false)) {
      if (!this.isSpecial(token)) {
        into.push(token);
        continue;
      }
      const word = this.#model.getTokenString(token);
      for (const letter of word) into.push(...[...this.#model.tokenize(letter, false)].filter((one) => !this.isSpecial(one)));
    }
  }

  isSpecial(token: number): boolean {
    let no_text = this.#no_text.get(token);
    if (no_text === undefined) {
      no_text = (this.#model.getTokenAttributes(token) & token_attribute_control) !== 0 || this.#model.isEogToken(token);
      this.#no_text.set(token, no_text);
    }
    return no_text || this.#special.has(token);
  }
}

/** What a model says, token by token, as text: a character that is not whole yet waits for the rest. */
export class TextOut {
  readonly #model: LlamaModel;
  /** The last one that is told already: what a token is as text may depend on the one before. */
  #before: number[] = [];
  #waiting: number[] = [];
  text = "";

  constructor(model: LlamaModel) {
    this.#model = model;
  }

  /** @returns what is new */
  push(token: number): string {
    this.#waiting.push(token);
    const known = this.#detokenise(this.#before);
    const all = this.#detokenise([...this.#before, ...this.#waiting]);
    if (all.endsWith(replacement) && this.#waiting.length < held_back_max) return "";
    this.#before = this.#waiting.slice(-1);
    this.#waiting = [];
    const delta = all.slice(known.length);
    this.text += delta;
    return delta;
  }

  #detokenise(tokens: readonly number[]): string {
    return tokens.length === 0 ? "" : this.#model.detokenize(Uint32Array.from(tokens), false);
  }
}
