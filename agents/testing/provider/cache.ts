/** The provider's prompt cache, and how it counts: four characters are a token, a prefix that was marked is kept. */

import type { Asked, Counted } from "./asked.ts";
import type { Turn } from "./script.ts";

const characters_a_token = 4;
const tokensIn = (text: string): number => Math.ceil(text.length / characters_a_token);

/** So far before a mark it looks for what was kept (platform.claude.com/docs/en/build-with-claude/prompt-caching). */
const look_back = 20;

export class PromptCache {
  readonly #kept = new Set<string>();

  /** The longest prefix that was kept is read; what goes beyond it up to the last mark is written. */
  count({ model, prefixes, whole }: Asked, turn: Turn): Counted {
    if (turn.tokens !== undefined) return turn.tokens;
    const marks = prefixes.flatMap(({ marked }, at) => (marked ? [at] : []));
    const seen = prefixes.filter(
      ({ text }, at) => marks.some((mark) => at <= mark && mark - at < look_back) && this.#kept.has(`${model}\n${text}`),
    );
    for (const at of marks) this.#kept.add(`${model}\n${prefixes[at]?.text}`);
    const read = tokensIn(seen.at(-1)?.text ?? "");
    const written = tokensIn(prefixes[marks.at(-1) ?? -1]?.text ?? "") - read;
    return { input: Math.max(tokensIn(whole) - read - written, 1), cache_read: read, cache_write: written, output: this.#said(turn) };
  }

  #said({ say }: Turn): number {
    return say.reduce((sum, one) => sum + tokensIn(JSON.stringify(one)), 0);
  }
}
