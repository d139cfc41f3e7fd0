/** What the memory service asks of its embedding process, over a pipe: vectors of sentences. */

import { z } from "zod";
import { method } from "./rpc.ts";

/** Characters of a text that are looked at. A model reads 256 tokens, about a thousand characters of English. */
export const embed_chars_max = 2000;
/** Texts of one call: with all of them as long as they may be, call and answer fit a frame. */
export const embed_texts_max = 16;

export const embed_methods = {
  embed: method(() => ({
    params: z.strictObject({
      texts: z.array(z.string().max(embed_chars_max)).min(1).max(embed_texts_max),
      /** Goes before all that is not, text by text. */
      urgent: z.boolean(),
    }),
    /** 32-bit floats, little-endian, in base64; each vector has length 1. */
    result: z.strictObject({ vectors: z.array(z.base64()).max(embed_texts_max) }),
  })),
} as const;

export const embed_notifications = {
  /** Once, before anything is asked. */
  loaded: z.strictObject({
    /** `all-minilm-l6-v2@` and the first twelve digits of the file's SHA-256. */
    model: z.string().max(100),
    dimensions: z.int().min(1).max(8192),
    /** Sentences that are computed at once. */
    lanes: z.int(),
    took_ms: z.number(),
  }),
  /** The process ends after it. */
  failed: z.strictObject({ reason: z.string().max(500) }),
} as const;
