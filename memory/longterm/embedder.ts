/** What long-term memory needs of whoever turns text into vectors (memory/embed/). */

/** A `query` is waited for by somebody: it goes before whatever is made in the `background`. */
export type EmbedKind = "query" | "background";

export interface Embedder {
  /** Names the model file by its hash, so that a vector says what made it; null: there is none now, and `embed` throws. */
  readonly model: string | null;
  /** Of every vector; 0 while there is no model. */
  readonly dimensions: number;
  /** What `model: null` is the reason of, in words; null when there is a model. */
  readonly reason: string | null;
  /**
   * Vectors of length 1, in the order of the texts.
   * @throws when there is no model, the queue is full, the time is over or the signal was raised; the texts may be asked again
   */
  embed(texts: readonly string[], kind: EmbedKind, signal?: AbortSignal): Promise<Float32Array[]>;
}

/** Memory is then searched by word alone, and says so. */
export function noEmbedder(reason: string): Embedder {
  return { model: null, dimensions: 0, reason, embed: () => Promise.reject(new Error(`embedding failed: ${reason}`)) };
}
