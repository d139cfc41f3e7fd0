/** Models that a machine may run by itself: what there is (`models/catalogue.yaml`), what is on the disk, which one a tier uses. */

import { z } from "zod";

export const ModelRole = z.enum(["operational", "tactical", "embedding"]);
export type ModelRole = z.infer<typeof ModelRole>;

/** The tiers that load a model of this machine. */
export const ModelTier = ModelRole.exclude(["embedding"]);
export type ModelTier = z.infer<typeof ModelTier>;

export const ModelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "a model's name is up to 64 of a-z 0-9 . _ -, like qwen3-4b-instruct-q4_k_m");
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** How a chat is written for the model: its own template's name. */
export const ChatFormat = z.enum(["chatml", "llama3", "gemma", "mistral", "phi", "none"]);
export type ChatFormat = z.infer<typeof ChatFormat>;

/**
 * From where the file is had: https; http of this very machine, which nobody can listen in on; or `package:`, what the build of
 * the image takes from a package and no machine fetches.
 */
export const ModelSource = z
  .string()
  .max(500)
  .regex(
    /^(https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?\/|package:)[\x21-\x7e]+$/,
    "https://…, http://127.0.0.1/…, or package:NAME",
  );

export const CatalogueModel = z.strictObject({
  name: ModelName,
  title: z.string().min(1).max(100),
  roles: z.array(ModelRole).min(1),
  /** Billions of parameters; the quantisation of the weights. */
  parameters_b: z.number().positive(),
  quantisation: z.string().min(1).max(20),
  /** In order of preference. */
  sources: z.array(ModelSource).min(1).max(8),
  size_bytes: z.int().positive(),
  /** Null: nobody has established it yet. Such a model is listed and not fetched. */
  sha256: Sha256.nullable(),
  /** SPDX identifier, or LicenseRef- with the page that holds its text. */
  licence: z.string().min(1).max(100),
  licence_url: z.url().nullable(),
  context_tokens: z.int().positive(),
  /** What a tier asks for of it, and what a token of that costs: keys and values of 16 bits in every layer. */
  context_used_tokens: z.int().positive(),
  kv_bytes_per_token: z.int().nonnegative(),
  vocabulary_tokens: z.int().positive(),
  chat_format: ChatFormat,
});
export type CatalogueModel = z.infer<typeof CatalogueModel>;

/** By what the system chooses a model by itself. */
export const ChoiceLimits = z.lazy(() =>
  z.strictObject({
    /** Of the memory that the tiers may take together, 0 to 1. */
    memory_share: z.number().positive().max(1),
    /** Tokens a second, read and written, below which it is too slow for the tier. */
    prompt_tokens_s_min: z.number().positive(),
    tokens_s_min: z.number().positive(),
    /** Billions of parameters up to which it is tried before anything was measured on this machine. */
    unmeasured_parameters_b_max: z.number().positive(),
  }),
);
export type ChoiceLimits = z.infer<typeof ChoiceLimits>;

export const Catalogue = z.strictObject({
  version: z.literal(1),
  /** To which hosts a source may redirect, besides its own: `*.` stands for any name before it. */
  redirect_hosts: z.array(z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/)).max(32),
  choice: z.strictObject({ operational: ChoiceLimits, tactical: ChoiceLimits }),
  models: z.array(CatalogueModel).min(1).max(200),
});
export type Catalogue = z.infer<typeof Catalogue>;

/**
 * One for questions, which is what a tier mostly has, and one for a chat: what each has read is read again only where the next
 * begins otherwise.
 */
export const sequences_kept = 2;

/** What a tier is to load, as the broker writes it (`/run/aios/models/<tier>.json`) and the tier's child reads it. No file: nothing. */
export const ModelInUse = z.lazy(() =>
  z.strictObject({
    name: ModelName,
    path: z.string().startsWith("/").max(500),
    sha256: Sha256,
    size_bytes: z.int().positive(),
    working_bytes: z.int().nonnegative(),
    context_used_tokens: z.int().positive(),
    /** Conversations that are kept at once, each of as many tokens; all of them are in `working_bytes`. */
    sequences: z.int().min(1).max(16).default(sequences_kept),
    chat_format: ChatFormat,
  }),
);
export type ModelInUse = z.infer<typeof ModelInUse>;

/**
 * What of a tier's health says how it gets on with its model (`Health.facts`): the one that is loaded, or `none`; why the one
 * that it was told to load does not load, as `NAME: reason`, empty when that is not so.
 */
export const TierModelFacts = z.lazy(() =>
  z.object({
    model: z.string(),
    model_error: z.string(),
    /** None is meant to be loaded: the operator switched them off. */
    model_off: z.boolean().default(false),
    /** Of its last answers, those that came too late, and those that did not fit what was asked for. */
    model_late_ratio: z.number().default(0),
    model_wrong_ratio: z.number().default(0),
  }),
);
export type TierModelFacts = z.infer<typeof TierModelFacts>;

/** How fast it was on this machine. */
export const ModelSpeed = z.strictObject({
  /** Tokens a second, read in batches and written one by one, without anything else to do. */
  prompt_tokens_s: z.number().positive(),
  tokens_s: z.number().positive(),
  threads: z.int().positive(),
  load_ms: z.number().nonnegative(),
  measured_ms: z.int(),
});
export type ModelSpeed = z.infer<typeof ModelSpeed>;

/**
 * Tokens that llama.cpp takes up at once; it has room for the logits of all of them. 128 are read as fast as 512 where a processor
 * computes, with a vocabulary of 262,144 they take 400 MB less, and who comes next waits for fewer.
 */
export const batch_tokens = 128;
const logit_bytes = 4;
/** Of the graph and of the process around it. */
const further_bytes = 64 * 1024 * 1024;

/** Bytes of working memory besides the file. */
export function workingBytes(model: Pick<CatalogueModel, "context_used_tokens" | "kv_bytes_per_token" | "vocabulary_tokens">): number {
  const context = model.context_used_tokens * model.kv_bytes_per_token * sequences_kept;
  return context + model.vocabulary_tokens * logit_bytes * batch_tokens + further_bytes;
}
