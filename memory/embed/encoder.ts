/**
 * One model, and lanes in which it computes one sentence each. A lane has one thread: short sentences give two threads
 * too little to do, and threads that wait for each other suffer from whatever else the machine does. One more lane is for
 * what is urgent alone, so that a query does not wait even for the sentence that is being computed.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { type LlamaContext, type LlamaModel, loadLlama, openLlamaModel } from "../../wire/llama.ts";

/** What sentence-transformers feeds this model with; what is longer is cut off. */
const tokens_max = 256;

export class Encoder {
  readonly model: string;
  readonly dimensions: number;
  readonly #model: LlamaModel;
  readonly #idle: LlamaContext[];
  readonly #express: LlamaContext;
  #express_idle = true;
  readonly #urgent: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(name: string, model: LlamaModel, lanes: LlamaContext[]) {
    this.model = name;
    this.dimensions = model.getEmbeddingVectorSize();
    this.#model = model;
    const [express, ...others] = lanes;
    if (express === undefined) throw new Error("opening a model failed: it has no lane");
    this.#express = express;
    this.#idle = others;
  }

  /** @param lanes for what is not urgent @throws when the library or the file does not load */
  static async open(path: string, lanes: number, log: (line: string) => void): Promise<Encoder> {
    const name = `${basename(path, ".gguf")}@${(await sha256(path)).slice(0, 12)}`;
    const llama = await loadLlama(log);
    const model = await openLlamaModel(llama, path);
    const contexts: LlamaContext[] = [];
    for (let lane = 0; lane <= lanes; lane += 1) {
      const sizes = { contextSize: tokens_max, batchSize: tokens_max, sequences: 1 };
      const context = new llama.AddonContext(model, { ...sizes, embeddings: true, threads: 1, flashAttention: false });
      if (!(await context.init())) throw new Error(`making lane ${lane} of the model "${path}" failed: llama.cpp's log says why`);
      contexts.push(context);
    }
    return new Encoder(name, model, contexts);
  }

  /** As many tokens as the text has for this model, with those that begin and end it. */
  tokens(text: string): Uint32Array {
    const inner = this.#model.tokenize(text, false).subarray(0, tokens_max - 2);
    return Uint32Array.of(this.#model.tokenBos(), ...inner, this.#model.tokenEos());
  }

  /** A vector of length 1. */
  async encode(text: string, urgent: boolean): Promise<Float32Array> {
    const lane = await this.#lane(urgent);
    try {
      const tokens = this.tokens(text);
      lane.initBatch(tokens.length);
      lane.addToBatch(0, 0, tokens, Uint32Array.from(tokens.keys()));
      await lane.decodeBatch();
      return unit(lane.getEmbedding(tokens.length));
    } finally {
      this.#release(lane);
    }
  }

  async #lane(urgent: boolean): Promise<LlamaContext> {
    for (;;) {
      if (urgent && this.#express_idle) {
        this.#express_idle = false;
        return this.#express;
      }
      const lane = this.#idle.pop();
      if (lane !== undefined) return lane;
      await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#waiting).push(resolve));
    }
  }

  #release(lane: LlamaContext): void {
    if (lane === this.#express) {
      this.#express_idle = true;
      this.#urgent.shift()?.();
      return;
    }
    this.#idle.push(lane);
    (this.#urgent.shift() ?? this.#waiting.shift())?.();
  }
}

function unit(vector: Float64Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, one) => sum + one * one, 0));
  if (!(length > 0)) throw new Error("embedding a text failed: the model answered with a vector without length");
  return Float32Array.from(vector, (one) => one / length);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
