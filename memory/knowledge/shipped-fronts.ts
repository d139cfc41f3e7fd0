/**
 * The front matter of the image's documents, read from YAML when it was built: two thirds of what a first boot spends on them
 * otherwise. By the hash of the text, so that one that was changed is read anew.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type FrontMatter, ShippedFronts } from "../../contracts/memory/knowledge.ts";

/** In the folder of the image's documents. */
export const fronts_file = "fronts";

/** @returns SHA-256 of a text → its front matter @throws when the file is none */
export function readFronts(folder: string): ReadonlyMap<string, FrontMatter> {
  const path = join(folder, fronts_file);
  return existsSync(path) ? new Map(Object.entries(ShippedFronts.parse(JSON.parse(readFileSync(path, "utf8"))))) : new Map();
}
