/**
 * One choice out of a few. The options are a tree of tokens: where two part, the model weighs the tokens by which they do, and
 * an option's probability is the product of its branches. Where there is only one way to go on, nothing has to be computed. It
 * is what would come out if the model wrote, and could write nothing but an option.
 */

import type { ChoiceAnswer, ChoiceRequest } from "../../../contracts/model/chat.ts";
import { ChatError } from "../port.ts";
import type { Engine } from "./engine.ts";
import { choiceTurns } from "./prompt.ts";
import type { Sequence } from "./sequences.ts";
import { type Job, readPrompt } from "./turns.ts";

/** Branches less likely than this are not looked into: what they have is shared evenly below them. */
const branch_min = 0.001;

interface OptionNode {
  /** The options that end here. */
  readonly ends: number[];
  readonly next: Map<number, OptionNode>;
}

function optionTree(options: readonly (readonly number[])[]): OptionNode {
  const root: OptionNode = { ends: [], next: new Map() };
  for (const [option, tokens] of options.entries()) {
    let node = root;
    for (const token of tokens) {
      const next = node.next.get(token) ?? { ends: [], next: new Map() };
      node.next.set(token, next);
      node = next;
    }
    node.ends.push(option);
  }
  return root;
}

export async function choose(engine: Engine, request: ChoiceRequest, job: Job): Promise<ChoiceAnswer> {
  const begin_ms = performance.now();
  if (new Set(request.options).size < request.options.length) throw new ChatError("rejected", "choosing failed: two options are the same");
  const { tokeniser, writer, sequences } = engine;
  const options = request.options.map((option) => tokeniser.plain(`${writer.lead}${option}`));
  const prompt = tokeniser.prompt(writer.write(choiceTurns(request)));
  engine.checkLength([...prompt, ...(options.toSorted((a, b) => b.length - a.length)[0] ?? [])]);
  const sequence = await sequences.take(prompt);
  const cached = sequence.tokens.length;
  try {
    const output = await readPrompt(engine, sequence, prompt, job);
    const read_ms = performance.now() - begin_ms;
    const walk = new Walk(engine, sequence, prompt, job, request.options.length);
    await walk.into(optionTree(options), output, [], 1);
    return {
      model: engine.model_name,
      probabilities: walk.probabilities,
      usage: {
        input_tokens: prompt.length - cached,
        cache_read_tokens: cached,
        cache_write_tokens: 0,
        output_tokens: walk.tokens_read,
        cost_usd: 0,
      },
      read_ms,
      took_ms: performance.now() - begin_ms,
    };
  } finally {
    sequences.release(sequence);
  }
}

class Walk {
  readonly probabilities: number[];
  tokens_read = 0;
  readonly #engine: Engine;
  readonly #sequence: Sequence;
  readonly #prompt: readonly number[];
  readonly #job: Job;

  constructor(engine: Engine, sequence: Sequence, prompt: readonly number[], job: Job, options: number) {
    this.#engine = engine;
    this.#sequence = sequence;
    this.#prompt = prompt;
    this.#job = job;
    this.probabilities = Array.from({ length: options }, () => 0);
  }

  /** @param output by which the node's result is asked for; null: it is not computed yet @param path tokens from the prompt on */
  async into(node: OptionNode, output: number | null, path: readonly number[], probability: number): Promise<void> {
    const below = endsBelow(node);
    if (probability < branch_min && below.length > 1) {
      for (const option of below) this.probabilities[option] = probability / below.length;
      return;
    }
    const ways = [...node.next];
    const ends = node.ends[0];
    const [only] = ways;
    if (ends === undefined && ways.length === 1 && only !== undefined)
      return await this.into(only[1], null, [...path, only[0]], probability);
    if (ends !== undefined && ways.length === 0) {
      this.probabilities[ends] = probability;
      return;
    }
    const tokens = [...ways.map(([token]) => token), ...(ends === undefined ? [] : [endToken(this.#engine)])];
    const weights = await this.#engine.weigh(output ?? (await this.#read(path)), tokens);
    if (ends !== undefined) this.probabilities[ends] = probability * (weights[ways.length] ?? 0);
    for (const [at, [token, next]] of ways.entries()) await this.into(next, null, [...path, token], probability * (weights[at] ?? 0));
  }

  /** Goes to another place of the tree: what of the way there is read already stays. */
  async #read(path: readonly number[]): Promise<number> {
    const way = [...this.#prompt, ...path];
    const { sequences } = this.#engine;
    let common = this.#prompt.length;
    while (common < way.length - 1 && this.#sequence.tokens[common] === way[common]) common += 1;
    sequences.cutTo(this.#sequence, common);
    this.tokens_read += way.length - this.#sequence.tokens.length;
    return await readPrompt(this.#engine, this.#sequence, way, this.#job);
  }
}

function endsBelow(node: OptionNode): number[] {
  return [...node.ends, ...[...node.next.values()].flatMap(endsBelow)];
}

/** What a model says when it has said all: its end of a turn. */
function endToken({ model }: Engine): number {
  const of_turn = model.eotToken();
  return of_turn >= 0 ? of_turn : model.tokenEos();
}
