/**
 * llama.cpp through the binding of node-llama-cpp, which is a native package of its own. What surrounds the binding in
 * node-llama-cpp (getting, compiling and probing builds of llama.cpp, a hundred packages) has no place in the image.
 * Only the part that is used here is described; node-llama-cpp's `AddonTypes.d.ts` has all of it.
 */

import { dirname } from "node:path";
import { loadNativeFile } from "./native.ts";

const binding_package = `@node-llama-cpp/linux-${process.arch}`;
const binding_file = `bins/linux-${process.arch}/llama-addon.node`;

export interface LlamaModel {
  /** Reads the file. @returns false when llama.cpp refuses it; it has then logged why */
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  /** @param special whether names of special tokens in the text count as such: never for text from outside */
  tokenize(text: string, special: boolean): Uint32Array;
  /** Broken UTF-8, as of a token that is a part of a character, becomes U+FFFD. */
  detokenize(tokens: Uint32Array, special: boolean): string;
  getEmbeddingVectorSize(): number;
  tokenBos(): number;
  tokenEos(): number;
  /** Ends a turn of a chat; -1: the model has none. */
  eotToken(): number;
  getTokenString(token: number): string;
  /** Bits of llama.cpp's `llama_token_attr`. */
  getTokenAttributes(token: number): number;
  /** Whether it ends what is generated. */
  isEogToken(token: number): boolean;
  shouldPrependBosToken(): boolean;
}

export interface LlamaContext {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  initBatch(tokens: number): void;
  /**
   * @param outputs positions within `tokens` of which the result is wanted
   * @returns for each of them, by which number its result is asked for
   */
  addToBatch(sequence: number, first_position: number, tokens: Uint32Array, outputs: Uint32Array): Uint32Array;
  /** Of the batches from now on. */
  setThreads(threads: number): void;
  /** Computes on threads of its own. */
  decodeBatch(): Promise<void>;
  /** Of sequence 0, pooled as the model says; not scaled to length 1. */
  getEmbedding(tokens: number): Float64Array;
  /** Chooses a token by the result of the last batch, and tells the sampler's grammar of it. @returns -1 when there is none */
  sampleToken(output: number, sampler: LlamaSampler): Promise<number>;
  /** The same, and the logits of some tokens: pairs of token and logit in one row at place 3 of the answer. */
  sampleToken(output: number, sampler: LlamaSampler, ...wanted: LogitsWanted): Promise<readonly (number | readonly number[] | undefined)[]>;
  /** Forgets the sequence from `from` up to before `to`; -1: to the end. @returns false when this model can forget all or nothing */
  removeTokenCellsFromSequence(sequence: number, from: number, to: number): boolean;
  disposeSequence(sequence: number): void;
  /** What is kept of the one is kept of the other too. */
  copySequenceStateFromOtherSequence(target: number, source: number): Promise<number>;
}

/** No probabilities and no confidence; logits of these tokens, and not the highest, the lowest, the chosen or the first few. */
type LogitsWanted = readonly [false, false, readonly [readonly number[], false, false, false, 0]];

interface ContextOptions {
  /** Of all sequences together, each of which has the same part of it. */
  readonly contextSize: number;
  readonly batchSize: number;
  readonly sequences: number;
  readonly embeddings: boolean;
  /** Threads of llama.cpp wait for each other by spinning: more than there are idle processors make it slower by far. */
  readonly threads: number;
  readonly flashAttention: boolean;
  /** Whether layers that look at the nearest tokens only keep all of them: without, what was read cannot be taken up again. */
  readonly swaFullCache?: boolean;
}

/** How the next token is chosen. Keeps the state of its grammar. */
export interface LlamaSampler {
  applyConfig(config: SamplerConfig): void;
  dispose(): void;
}

export interface SamplerConfig {
  /** 0: the likeliest. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: number;
  readonly grammarEvaluationState?: LlamaGrammarState;
}

interface LlamaGrammar {
  isTextCompatible(text: string): boolean;
}

/** Where in a grammar a text is. */
type LlamaGrammarState = object;

export interface LlamaJinja {
  /** @throws what the template itself raises, too */
  render(variables: Readonly<Record<string, unknown>>): string;
}

export interface Llama {
  readonly AddonModel: new (path: string, options: { addonExports: Llama; gpuLayers: number; useMmap: boolean }) => LlamaModel;
  readonly AddonContext: new (model: LlamaModel, options: ContextOptions) => LlamaContext;
  readonly AddonSampler: new (model: LlamaModel) => LlamaSampler;
  /** Of GBNF. @throws when it is none */
  readonly AddonGrammar: new (
    gbnf: string,
    options: { addonExports: Llama; rootRuleName: string },
  ) => LlamaGrammar;
  readonly AddonGrammarEvaluationState: new (model: LlamaModel, grammar: LlamaGrammar) => LlamaGrammarState;
  /** llama.cpp's own renderer of chat templates. @throws when it is none */
  readonly AddonJinjaRenderer: new (
    template: string,
  ) => LlamaJinja;
  markLoaded(): boolean;
  setLogger(logger: (level: number, message: string) => void): void;
  setLoggerLogLevel(level: number): void;
  loadBackends(folder?: string): void;
  /** undefined while no back end is loaded; false: the processor computes. */
  getGpuType(): string | false | undefined;
  /** Bytes of the graphics processors' memory. */
  getGpuVramInfo(): { readonly total: number; readonly used: number };
  /** `CPU : SSE3 = 1 | AVX2 = 1 | …`: what the back end that was chosen makes use of. */
  systemInfo(): string;
  init(): Promise<void>;
}

/** `LLAMA_TOKEN_ATTR_CONTROL`: a token that is no text. */
export const token_attribute_control = 8;

/** llama.cpp's log levels up to this one are told: 2 is an error. */
const level_told_max = 2;

/** @param log is told errors of llama.cpp, a line each @throws when the binding or its back end for this processor does not load */
export async function loadLlama(log: (line: string) => void): Promise<Llama> {
  const { exports, path } = loadNativeFile(binding_package, binding_file);
  const llama = exports as Llama;
  llama.markLoaded();
  llama.setLogger((level, message) => {
    if (level <= level_told_max && message.trim() !== "") log(message.trim());
  });
  llama.setLoggerLogLevel(level_told_max);
  llama.loadBackends();
  if (llama.getGpuType() === undefined) llama.loadBackends(dirname(path));
  if (llama.getGpuType() === undefined)
    throw new Error(`loading llama.cpp failed: no back end in "${dirname(path)}" fits this processor; check root/keep.yaml`);
  await llama.init();
  return llama;
}

/** Reads the file lazily, by mapping it. @param gpu_layers computed by the graphics processor @throws when llama.cpp refuses it */
export async function openLlamaModel(llama: Llama, path: string, gpu_layers = 0): Promise<LlamaModel> {
  const model = new llama.AddonModel(path, { addonExports: llama, gpuLayers: gpu_layers, useMmap: true });
  if (!(await model.init())) throw new Error(`loading the model "${path}" failed: llama.cpp refuses the file; its log says why`);
  return model;
}
