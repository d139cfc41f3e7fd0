/** The vector of a question, within a short time: a question is rather searched by word than kept waiting. */

import type { Embedder } from "./embedder.ts";

const wait_ms_max = 400;
/** People and tiers ask the same again. */
const kept_max = 128;

export interface QueryVector {
  readonly vector: Float32Array | null;
  /** Why there is none, or null. */
  readonly note: string | null;
}

export class QueryVectors {
  readonly #embedder: Embedder;
  readonly #wait_ms: number;
  readonly #kept = new Map<string, Float32Array>();

  constructor(embedder: Embedder, wait_ms = wait_ms_max) {
    this.#embedder = embedder;
    this.#wait_ms = wait_ms;
  }

  async of(query: string): Promise<QueryVector> {
    const { model } = this.#embedder;
    if (model === null) return without(this.#embedder.reason ?? "there is no embedding model");
    const key = `${model} ${query}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return { vector: kept, note: null };
    try {
      const vector = await this.#made(query);
      if (this.#kept.size >= kept_max) this.#kept.delete(this.#kept.keys().next().value ?? "");
      this.#kept.set(key, vector);
      return { vector, note: null };
    } catch (error) {
      return without(error instanceof Error ? error.message : String(error));
    }
  }

  async #made(query: string): Promise<Float32Array> {
    const over = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      over.abort();
      late.reject(new Error(`the vector of the question was not there within ${this.#wait_ms} ms`));
    }, this.#wait_ms);
    try {
      const [vector] = await Promise.race([this.#embedder.embed([query], "query", over.signal), late.promise]);
      if (vector === undefined) throw new Error("the model gave no vector");
      return vector;
    } finally {
      clearTimeout(timer);
    }
  }
}

function without(reason: string): QueryVector {
  return { vector: null, note: `searched by word alone: ${reason}` };
}
