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
  getEmbeddingVectorSize(): number;
  tokenBos(): number;
  tokenEos(): number;
}

export interface LlamaContext {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  initBatch(tokens: number): void;
  /** @param outputs positions within `tokens` of which the result is wanted */
  addToBatch(sequence: number, first_position: number, tokens: Uint32Array, outputs: Uint32Array): Uint32Array;
  /** Computes on threads of its own. */
  decodeBatch(): Promise<void>;
  /** Of sequence 0, pooled as the model says; not scaled to length 1. */
  getEmbedding(tokens: number): Float64Array;
}

export interface ContextOptions {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly sequences: number;
  readonly embeddings: boolean;
  /** Threads of llama.cpp wait for each other by spinning: more than there are idle processors make it slower by far. */
  readonly threads: number;
  readonly flashAttention: boolean;
}

export interface Llama {
  readonly AddonModel: new (path: string, options: { addonExports: Llama; gpuLayers: number; useMmap: boolean }) => LlamaModel;
  readonly AddonContext: new (model: LlamaModel, options: ContextOptions) => LlamaContext;
  markLoaded(): boolean;
  setLogger(logger: (level: number, message: string) => void): void;
  setLoggerLogLevel(level: number): void;
  loadBackends(folder?: string): void;
  /** undefined while no back end is loaded; false: the processor computes. */
  getGpuType(): string | false | undefined;
  /** `CPU : SSE3 = 1 | AVX2 = 1 | …`: what the back end that was chosen makes use of. */
  systemInfo(): string;
  init(): Promise<void>;
}

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

/** Reads the file lazily, by mapping it. @throws when llama.cpp refuses it */
export async function openLlamaModel(llama: Llama, path: string): Promise<LlamaModel> {
  const model = new llama.AddonModel(path, { addonExports: llama, gpuLayers: 0, useMmap: true });
  if (!(await model.init())) throw new Error(`loading the model "${path}" failed: llama.cpp refuses the file; its log says why`);
  return model;
}
