/** Models of a test: a catalogue of tiny ones, some in the image, some that a server has. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Catalogue, type CatalogueModel } from "../../../../contracts/model/catalogue.ts";
import type { Places } from "../../../context.ts";
import { sha256Of } from "./server.ts";
import { tinyModel } from "./tiny-model.ts";

/** `seed` of its weights. */
export function tinyContent(name: string): Buffer {
  return tinyModel(name, name.length * 31 + name.charCodeAt(0));
}

/** One of the catalogue, as its content is. */
export function catalogued(
  name: string,
  content: Uint8Array,
  sources: readonly string[],
  more: Partial<CatalogueModel> = {},
): CatalogueModel {
  return {
    ...{ name, title: name, roles: ["operational", "tactical"], parameters_b: 0.0001, quantisation: "F32" },
    sources: [...sources],
    size_bytes: content.length,
    sha256: sha256Of(content),
    ...{ licence: "Apache-2.0", licence_url: null, context_tokens: 2048, context_used_tokens: 512, kv_bytes_per_token: 256 },
    ...{ vocabulary_tokens: 259, chat_format: "chatml" },
    ...more,
  };
}

export function writeCatalogue({ models }: Pick<Places, "models">, entries: readonly CatalogueModel[]): void {
  const limits = { memory_share: 0.5, prompt_tokens_s_min: 1, tokens_s_min: 1, unmeasured_parameters_b_max: 1 };
  const catalogue = Catalogue.parse({ version: 1, redirect_hosts: [], choice: { operational: limits, tactical: limits }, models: entries });
  mkdirSync(dirname(models.catalogue), { recursive: true });
  writeFileSync(models.catalogue, JSON.stringify(catalogue)); // JSON is YAML
}

/** Puts one into the image. */
export function ship({ models }: Pick<Places, "models">, name: string, content: Uint8Array): void {
  mkdirSync(models.image, { recursive: true });
  writeFileSync(join(models.image, `${name}.gguf`), content);
}
