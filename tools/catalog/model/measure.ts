/**
 * `aios measure-model FILE THREADS`: how fast llama.cpp computes a model on this machine, as its own llama-bench does it:
 * a batch of tokens that it reads, tokens one by one as it writes them, without choosing among them. One line of JSON on the
 * standard output. A process of its own: what is wrong with a file takes this one down and nobody else.
 */

import { loadLlama, openLlamaModel } from "../../../wire/llama.ts";

/** Long enough that a start does not count; short enough for a large model on a slow machine. */
const prompt_tokens = 128;
const prompt_rounds_max = 3;
const written_tokens_max = 24;
const context_tokens = prompt_tokens * prompt_rounds_max + written_tokens_max + 8;
/** Milliseconds after which reading, and writing, is not done once more. */
const enough_ms = 10_000;
const text = "A service stopped answering; its log says that the address is in use already. ";

export async function measure(path: string, threads: number): Promise<{ prompt_tokens_s: number; tokens_s: number; load_ms: number }> {
  const begin = performance.now();
  const llama = await loadLlama((line) => process.stderr.write(`${line}\n`));
  const model = await openLlamaModel(llama, path);
  const context = new llama.AddonContext(model, {
    ...{ contextSize: context_tokens, batchSize: prompt_tokens, sequences: 1, embeddings: false, threads, flashAttention: false },
  });
  if (!(await context.init())) throw new Error(`making a context for "${path}" failed: llama.cpp's log says why`);
  const load_ms = performance.now() - begin;
  const tokens = model.tokenize(text.repeat(prompt_tokens), false).subarray(0, prompt_tokens);
  let position = 0;
  const compute = async (some: Uint32Array): Promise<number> => {
    const started = performance.now();
    context.initBatch(some.length);
    context.addToBatch(0, position, some, Uint32Array.of(some.length - 1));
    await context.decodeBatch();
    position += some.length;
    return performance.now() - started;
  };
  await compute(tokens.subarray(0, 2)); // the file is read from the disk as it is used
  const repeat = async (times_max: number, of: (round: number) => Uint32Array): Promise<number[]> => {
    const took: number[] = [];
    const started = performance.now();
    while (took.length < times_max && performance.now() - started < enough_ms) took.push(await compute(of(took.length)));
    return took;
  };
  const reading = await repeat(prompt_rounds_max, () => tokens);
  const writing = await repeat(written_tokens_max, (round) => tokens.subarray(round, round + 1));
  return { prompt_tokens_s: (prompt_tokens * 1000) / median(reading), tokens_s: 1000 / median(writing), load_ms };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

export async function main(): Promise<void> {
  const [path = "", threads = ""] = process.argv.slice(3);
  if (!/^[1-9]\d{0,2}$/.test(threads)) throw new Error("measuring a model failed: usage: aios measure-model FILE THREADS");
  process.stdout.write(`${JSON.stringify(await measure(path, Number(threads)))}\n`);
  process.exit(0); // the back end's threads would go on
}
