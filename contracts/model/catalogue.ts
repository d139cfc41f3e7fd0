/** Models that a machine may run by itself: what there is (`models/catalogue.yaml`), what is on the disk, which one a tier uses. */

import { z } from "zod";

export const ModelRole = z.enum(["operational", "tactical", "embedding"]);
export type ModelRole = z.infer<typeof ModelRole>;

export const ModelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "a model's name is up to 64 of a-z 0-9 . _ -, like qwen3-4b-instruct-q4_k_m");
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** How a chat is written for the model: its own template's name. */
export const ChatFormat = z.enum(["chatml", "llama3", "gemma", "mistral", "phi", "none"]);
export type ChatFormat = z.infer<typeof ChatFormat>;

export const CatalogueModel = z.strictObject({
  name: ModelName,
  title: z.string().min(1).max(100),
  roles: z.array(ModelRole).min(1),
  /** Billions of parameters; the quantisation of the weights. */
  parameters_b: z.number().positive(),
  quantisation: z.string().min(1).max(20),
  /** Where the file is had from, in order of preference; https only (or `package:` for what the image's build takes from a package). */
  sources: z.array(z.string().max(500)).min(1).max(8),
  size_bytes: z.number().int().positive(),
  sha256: Sha256,
  /** SPDX identifier, or LicenseRef- with the page that holds its text. */
  licence: z.string().min(1).max(100),
  licence_url: z.url().nullable(),
  context_tokens: z.number().int().positive(),
  /** Bytes of working memory besides the file: context of `context_used_tokens` and buffers. */
  context_used_tokens: z.number().int().positive(),
  working_bytes: z.number().int().nonnegative(),
  chat_format: ChatFormat,
});
export type CatalogueModel = z.infer<typeof CatalogueModel>;

/** What a tier is to load, as the broker writes it and the tier's child reads it. */
export const ModelInUse = z.strictObject({
  name: ModelName,
  path: z.string().startsWith("/").max(500),
  sha256: Sha256,
  size_bytes: z.number().int().positive(),
  working_bytes: z.number().int().nonnegative(),
  context_used_tokens: z.number().int().positive(),
  chat_format: ChatFormat,
});
export type ModelInUse = z.infer<typeof ModelInUse>;
