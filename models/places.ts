/** Where the build of models reads and leaves things. */

import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "..");
export const build = join(checkout, "build");
/** What is in the image: `/usr/lib/aios/models` is this folder. */
export const built_models = join(build, "models");
/** The model that memory embeds with: its folder here, and its file's name. */
export const sentence_model = "all-minilm-l6-v2";
export const sentence_model_file = join(built_models, `${sentence_model}.gguf`);
/** Vectors of `sentences.txt` by the reference implementation; not in the image. */
export const reference_file = join(build, "model-references", `${sentence_model}.jsonl`);
