/** The provider's prompt cache, and how it counts: four characters are a token, a prefix that was marked is kept. */

import type { Asked, Counted } from "./asked.ts";
import type { Turn } from "./script.ts";

const characters_a_token = 4;
const tokensIn = (text: string): number => Math.ceil(text.length / characters_a_token);

export class PromptCache {
  readonly #kept = new Set<string>();

  /** The longest prefix that was kept is read; what goes beyond it up to the last mark is written. */
  count({ model, prefixes, whole }: Asked, turn: Turn): Counted {
    if (turn.tokens !== undefined) return turn.tokens;
    const named = prefixes.map((prefix) => `${model}\n${prefix}`);
    const found = prefixes.filter((_, at) => this.#kept.has(named[at] ?? "")).at(-1) ?? "";
    for (const name of named) this.#kept.add(name);
    const read = tokensIn(found);
    const written = tokensIn(prefixes.at(-1) ?? "") - read;
    return { input: Math.max(tokensIn(whole) - read - written, 1), cache_read: read, cache_write: written, output: this.#said(turn) };
  }

  #said({ say }: Turn): number {
    return say.reduce((sum, one) => sum + tokensIn(JSON.stringify(one)), 0);
  }
}
