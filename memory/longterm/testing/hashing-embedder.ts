/**
 * An embedder for tests where the model is not the point: each word adds a direction of its own (made from its hash), so
 * texts with the same words are near. Deterministic, at once, and without any meaning.
 */

import { hash } from "node:crypto";
import type { Embedder } from "../embedder.ts";

interface HashingEmbedder extends Embedder {
  model: string;
  /** Texts that it was asked for. */
  asked: number;
  /** Thrown for texts that hold this. */
  failing: string | null;
  /** Answers only then. */
  wait: Promise<void> | null;
}

export function hashingEmbedder(model = "hashing-1", dimensions = 128): HashingEmbedder {
  return {
    model,
    dimensions,
    reason: null,
    asked: 0,
    failing: null,
    wait: null,
    async embed(texts) {
      this.asked += texts.length;
      const { failing } = this;
      if (this.wait !== null) await this.wait;
      if (failing !== null && texts.some((text) => text.includes(failing))) throw new Error("this text cannot be embedded");
      return texts.map((text) => vectorOf(text, dimensions));
    },
  };
}

export function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const word of text.toLowerCase().match(/[a-z0-9]+/g) ?? []) {
    const bytes = hash("sha512", word, "buffer");
    for (let at = 0; at < dimensions; at += 1) vector[at] = (vector[at] ?? 0) + (((bytes[at % 64] ?? 0) >> ((at >> 6) % 8)) & 1 ? 1 : -1);
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => (length === 0 ? 0 : value / length));
}
