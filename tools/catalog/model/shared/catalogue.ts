/** The catalogue of models, as the image brings it. */

import { readFileSync, statSync } from "node:fs";
import { Catalogue, type CatalogueModel } from "../../../../contracts/model/catalogue.ts";
import { readYaml } from "../../../../wire/strict-yaml.ts";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";

const read = new Map<string, { readonly changed_ms: number; readonly catalogue: Catalogue }>();

/** @throws {ToolError} when it is not there or cannot be read */
export function catalogueOf({ places }: Pick<Context, "places">): Catalogue {
  const path = places.models.catalogue;
  try {
    const changed_ms = statSync(path).mtimeMs;
    const known = read.get(path);
    if (known?.changed_ms === changed_ms) return known.catalogue;
    const found = readYaml(readFileSync(path, "utf8"), Catalogue);
    if ("problems" in found) throw new Error(found.problems.slice(0, 3).join("; "));
    read.set(path, { changed_ms, catalogue: found.value });
    return found.value;
  } catch (error) {
    throw new ToolError(`reading the catalogue of models "${path}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param what for the message: `fetching "x"` @throws {ToolError} when it is not in the catalogue */
export function modelNamed(name: string, what: string, context: Pick<Context, "places">): CatalogueModel {
  const found = catalogueOf(context).models.find((model) => model.name === name);
  if (found === undefined) throw new ToolError(`${what} failed: there is no model of this name in the catalogue; model.list names them`);
  return found;
}

/** What can be told from a model alone whether it can be fetched. @throws {ToolError} when it cannot */
export function demandFetchable(model: CatalogueModel, what: string): { readonly sha256: string; readonly sources: readonly string[] } {
  const { sha256 } = model;
  if (sha256 === null)
    throw new ToolError(
      `${what} failed: nobody has established the SHA-256 of its file yet, so nothing that comes could be told from another file`,
    );
  const sources = model.sources.filter((source) => !source.startsWith("package:"));
  if (sources.length === 0) throw new ToolError(`${what} failed: it comes with the image only; no address has it as a file`);
  return { sha256, sources };
}
