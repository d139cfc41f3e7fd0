/** One model and one context: reads tokens into sequences, and says what may follow. Computes one batch at a time. */

import { statSync } from "node:fs";
import { batch_tokens, type ModelInUse } from "../../../contracts/model/catalogue.ts";
import {
  type Llama,
  type LlamaContext,
  type LlamaModel,
  type LlamaSampler,
  loadLlama,
  openLlamaModel,
  type SamplerConfig,
} from "../../../wire/llama.ts";
import { OthersAtWork, type Threads } from "../../../wire/model-process/threads.ts";
import { ChatError } from "../port.ts";
import { ggufString } from "./gguf.ts";
import { type PromptWriter, plainWriter, TemplateWriter } from "./prompt.ts";
import { type Sequence, Sequences } from "./sequences.ts";
import { Tokeniser } from "./tokens.ts";

/** As many layers as there are. */
const layers_all = 999;

/** Tokens that are to be read next in one sequence. */
export interface Reading {
  readonly sequence: Sequence;
  readonly tokens: readonly number[];
  /** Whether what follows the last of them is wanted. */
  readonly wants_result: boolean;
}

export class Engine {
  readonly model_name: string;
  /** `CPU`, or the kind of graphics processor. */
  readonly on: string;
  /** Tokens of one sequence: prompt and answer. */
  readonly context_tokens: number;
  readonly tokeniser: Tokeniser;
  readonly writer: PromptWriter;
  readonly sequences: Sequences;
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #greedy: LlamaSampler;
  readonly #threads: Threads;
  readonly #others = new OthersAtWork();

  private constructor(llama: Llama, model: LlamaModel, context: LlamaContext, chosen: ModelInUse, threads: Threads, on: string) {
    this.llama = llama;
    this.model = model;
    this.on = on;
    this.model_name = chosen.name;
    this.context_tokens = chosen.context_used_tokens;
    this.#context = context;
    this.#threads = threads;
    this.tokeniser = new Tokeniser(model);
    this.writer = writerOf(llama, model, chosen);
    this.#greedy = this.sampler({ temperature: 0 });
    this.sequences = new Sequences(chosen.sequences, {
      cut: (sequence, from) => context.removeTokenCellsFromSequence(sequence, from, -1),
      clear: (sequence) => context.disposeSequence(sequence),
      copy: async (target, source) => void (await context.copySequenceStateFromOtherSequence(target, source)),
    });
  }

  /** @throws when the library or the file does not load, or is not the file that was chosen */
  static async open(chosen: ModelInUse, threads: Threads, log: (line: string) => void): Promise<Engine> {
    const { size } = statSync(chosen.path);
    if (size !== chosen.size_bytes)
      throw new Error(`loading the model "${chosen.path}" failed: it has ${size} bytes, not ${chosen.size_bytes}; fetch it again`);
    const llama = await loadLlama(log);
    const layers = layersOnGpu(llama, chosen);
    const model = await openLlamaModel(llama, chosen.path, layers);
    const context = new llama.AddonContext(model, {
      contextSize: chosen.context_used_tokens * chosen.sequences,
      batchSize: batch_tokens,
      sequences: chosen.sequences,
      embeddings: false,
      threads: threads.usual,
      flashAttention: false,
      swaFullCache: true,
    });
    if (!(await context.init())) throw new Error(`making a context for "${chosen.path}" failed: llama.cpp's log says why`);
    const gpu = llama.getGpuType();
    return new Engine(llama, model, context, chosen, threads, layers === 0 || gpu === false || gpu === undefined ? "CPU" : gpu);
  }

  sampler(config: SamplerConfig): LlamaSampler {
    const sampler = new this.llama.AddonSampler(this.model);
    sampler.applyConfig(config);
    return sampler;
  }

  /** @throws {ChatError} `rejected`, with the figures, when it leaves no room for an answer */
  checkLength(prompt: readonly number[]): void {
    if (prompt.length >= this.context_tokens)
      throw new ChatError(
        "rejected",
        `asking "${this.model_name}" failed: the prompt has ${prompt.length} tokens, and the model is loaded for ${this.context_tokens} with the answer; say less`,
      );
  }

  /**
   * Reads in one batch what fits into one; the sequences then have it.
   * @returns for each reading, by which number the result is asked for, or null
   */
  async read(readings: readonly Reading[]): Promise<(number | null)[]> {
    if (this.#threads.idle > this.#threads.usual)
      this.#context.setThreads((await this.#others.look()) ? this.#threads.usual : this.#threads.idle);
    this.#context.initBatch(readings.reduce((sum, one) => sum + one.tokens.length, 0));
    const outputs = readings.map(({ sequence, tokens, wants_result }) => {
      const wanted = wants_result ? Uint32Array.of(tokens.length - 1) : new Uint32Array();
      return this.#context.addToBatch(sequence.id, sequence.tokens.length, Uint32Array.from(tokens), wanted)[0] ?? null;
    });
    try {
      await this.#context.decodeBatch();
    } catch (error) {
      for (const { sequence } of readings) this.sequences.forget(sequence);
      throw error;
    }
    for (const { sequence, tokens } of readings) sequence.tokens.push(...tokens);
    return outputs;
  }

  /** The next token. */
  async next(output: number, sampler: LlamaSampler): Promise<number> {
    return await this.#context.sampleToken(output, sampler);
  }

  /** Of some tokens, how likely each is to follow, among these alone: sums to 1. */
  async weigh(output: number, tokens: readonly number[]): Promise<number[]> {
    const answer = await this.#context.sampleToken(output, this.#greedy, false, false, [tokens, false, false, false, 0]);
    const pairs = answer[3];
    if (!Array.isArray(pairs)) throw new Error("weighing tokens failed: llama.cpp told no logits");
    const logits = new Map<number, number>();
    for (let at = 0; at + 1 < pairs.length; at += 2) logits.set(Number(pairs[at]), Number(pairs[at + 1]));
    const own = tokens.map((token) => logits.get(token) ?? Number.NEGATIVE_INFINITY);
    const highest = Math.max(...own);
    const powers = own.map((logit) => Math.exp(logit - highest));
    const sum = powers.reduce((all, one) => all + one, 0);
    if (!(sum > 0)) throw new Error("weighing tokens failed: none of them has a probability");
    return powers.map((power) => power / sum);
  }
}

/** All, when the memory of the graphics processor has room for file and working memory, and none otherwise. */
function layersOnGpu(llama: Llama, { size_bytes, working_bytes }: ModelInUse): number {
  const gpu = llama.getGpuType();
  if (gpu === false || gpu === undefined) return 0;
  const { total, used } = llama.getGpuVramInfo();
  return total - used >= size_bytes + working_bytes ? layers_all : 0;
}

function writerOf(llama: Llama, model: LlamaModel, { path, chat_format }: ModelInUse): PromptWriter {
  if (chat_format === "none") return plainWriter;
  const template = ggufString(path, "tokenizer.chat_template");
  if (template === null)
    throw new Error(`loading the model "${path}" failed: it has no chat template, and is said to have one (${chat_format})`);
  const named = (token: number): string => (token < 0 ? "" : model.getTokenString(token));
  return new TemplateWriter(new llama.AddonJinjaRenderer(template), {
    bos_token: named(model.tokenBos()),
    eos_token: named(model.tokenEos()),
  });
}
