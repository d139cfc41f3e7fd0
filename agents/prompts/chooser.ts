/**
 * A choice, freed of what the model prefers whatever it is asked: small models like some words better than others. The same question is asked
 * once with nothing in it, and each option's probability is divided by the one that it then has (contextual calibration: T. Zhao
 * et al., "Calibrate before use", ICML 2021). That answer is kept, so that a question costs one choice; and where it is known which
 * model answers, so is every answer: the same question has the same, for nothing is drawn by chance.
 */

import type { Prompt } from "../../contracts/prompt.ts";
import type { ChoiceModel } from "../model/port.ts";
import { fill } from "./prompts.ts";

/** What stands in the place of data when nothing is to be in it. */
const nothing = "N/A";
const kept_max = 64;
/** No option is impossible. */
const least = 0.001;

export interface Chosen {
  /** In the order of the options; sums to 1. */
  readonly probabilities: readonly number[];
  readonly tokens: number;
  readonly took_ms: number;
}

export class Chooser {
  readonly #model: Pick<ChoiceModel, "choose">;
  readonly #name: () => string | null;
  /** By model, question and options. */
  readonly #without = new Map<string, readonly number[]>();
  readonly #said = new Map<string, readonly number[]>();

  /** @param name which model it is now; null: nobody knows, and no answer is kept */
  constructor(model: Pick<ChoiceModel, "choose">, name: () => string | null = () => null) {
    this.#model = model;
    this.#name = name;
  }

  /**
   * @param blank words of ours that name the matter, left out of the empty question too
   * @param limit_ms for all of it
   * @throws {ChatError}
   */
  async choose(
    prompt: Prompt,
    given: Readonly<Record<string, string>>,
    options: readonly string[],
    blank: readonly string[],
    limit_ms: number,
  ): Promise<Chosen> {
    const begin_ms = performance.now();
    const model = this.#name();
    const said_key = JSON.stringify([model, fill(prompt, given), options]);
    const said = model === null ? undefined : this.#said.get(said_key);
    if (said !== undefined) return { probabilities: said, tokens: 0, took_ms: performance.now() - begin_ms };
    const asked = await this.#ask(prompt, given, options, limit_ms);
    const empty = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, prompt.places[name] === "data" || blank.includes(name) ? nothing : value]),
    );
    const key = JSON.stringify([asked.model, fill(prompt, empty), options]);
    let without = this.#without.get(key);
    let tokens = asked.tokens;
    if (without === undefined) {
      const left_ms = Math.max(1, Math.floor(limit_ms - (performance.now() - begin_ms)));
      const answer = await this.#ask(prompt, empty, options, left_ms);
      [without, tokens] = [answer.probabilities, tokens + answer.tokens];
      keep(this.#without, key, without);
    }
    const ratios = asked.probabilities.map((probability, at) => probability / Math.max(least, without[at] ?? 1));
    const sum = ratios.reduce((all, ratio) => all + ratio, 0);
    const probabilities = ratios.map((ratio) => ratio / sum);
    // another one may have been loaded meanwhile
    if (model !== null && asked.model === model) keep(this.#said, said_key, probabilities);
    return { probabilities, tokens, took_ms: performance.now() - begin_ms };
  }

  async #ask(prompt: Prompt, given: Readonly<Record<string, string>>, options: readonly string[], limit_ms: number) {
    const { system, question } = fill(prompt, given);
    const answer = await this.#model.choose({ system: [{ text: system, stable: true }], question, options: [...options], limit_ms });
    const { model, probabilities, usage } = answer;
    return { model, probabilities, tokens: usage.input_tokens + usage.output_tokens };
  }
}

function keep(kept: Map<string, readonly number[]>, key: string, probabilities: readonly number[]): void {
  const [oldest] = kept.keys();
  if (kept.size >= kept_max && oldest !== undefined) kept.delete(oldest);
  kept.set(key, probabilities);
}
