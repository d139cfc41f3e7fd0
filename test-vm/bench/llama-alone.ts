/**
 * llama.cpp alone, by the procedure of its own bench (tools/llama-bench: pp512 and tg128, tokens that mean nothing, no prompt, no
 * sampling): `bun test-vm/bench/llama-alone.ts MODEL THREADS` writes tokens per second as JSON. The native package that we use has the library
 * without llama-bench itself, so it is the same library that is measured, with llama-bench's batch of 512.
 */

import { z } from "zod";
import { loadLlama, openLlamaModel } from "../../wire/llama.ts";

const prompt_tokens = 512;
const generated_tokens = 128;
const rounds = 3;

export const Speeds = z.strictObject({ read: z.array(z.number()), written: z.array(z.number()) });

async function measure(path: string, threads: number): Promise<z.infer<typeof Speeds>> {
  const llama = await loadLlama((line) => process.stderr.write(`${line}\n`));
  const model = await openLlamaModel(llama, path, 0);
  const sizes = { contextSize: prompt_tokens + generated_tokens, batchSize: prompt_tokens, sequences: 1 };
  const context = new llama.AddonContext(model, { ...sizes, embeddings: false, threads, flashAttention: false });
  if (!(await context.init())) throw new Error("making a context failed: llama.cpp's log says why");
  const decode = async (at: number, tokens: number): Promise<void> => {
    context.initBatch(tokens);
    const meaningless = Uint32Array.from({ length: tokens }, (_, token) => 100 + ((at + token * 7919) % 30_000));
    context.addToBatch(0, at, meaningless, Uint32Array.of(tokens - 1));
    await context.decodeBatch();
  };
  const speeds: z.infer<typeof Speeds> = { read: [], written: [] };
  for (let round = 0; round <= rounds; round += 1) {
    context.disposeSequence(0);
    const read_ms = await timed(() => decode(0, prompt_tokens));
    context.disposeSequence(0);
    const written_ms = await timed(async () => {
      for (let at = 0; at < generated_tokens; at += 1) await decode(at, 1);
    });
    // the first round warms up, as there
    if (round === 0) continue;
    speeds.read.push((prompt_tokens * 1000) / read_ms);
    speeds.written.push((generated_tokens * 1000) / written_ms);
  }
  return speeds;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin_ms = performance.now();
  await work();
  return performance.now() - begin_ms;
}

if (import.meta.main) {
  const [path = "", threads] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(await measure(path, Number(threads)))}\n`);
  process.exit(0);
}
