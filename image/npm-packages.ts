/** The npm packages that end up in the root: bundled into the executable, or shipped as files. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { build, checkout, node_modules } from "./places.ts";

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      integrity: z.string().optional(),
      resolved: z.string().optional(),
    }),
  ),
});
const Meta = z.object({ inputs: z.record(z.string(), z.unknown()) });

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string | null;
  /** Subresource integrity, as npm checked it. */
  readonly integrity: string | null;
  readonly licence_text: string | null;
}

/** Names of the packages of which the bundler took at least one file. */
function bundledNames(): string[] {
  const file = join(build, "bin/aios.meta.json");
  const meta = Meta.parse(JSON.parse(readFileSync(file, "utf8")));
  const names = Object.keys(meta.inputs).flatMap((path) => {
    const inside = path.split("node_modules/").at(-1);
    if (inside === undefined || inside === path) return [];
    const [first, second] = inside.split("/");
    return first === undefined ? [] : [first.startsWith("@") ? `${first}/${second}` : first];
  });
  return [...new Set(names)];
}

export function npmPackages(shipped: readonly string[]): NpmPackage[] {
  const lock = Lock.parse(JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")));
  return [...new Set([...bundledNames(), ...shipped])].sort().map((name) => {
    const entry = lock.packages[`node_modules/${name}`];
    if (entry?.version === undefined)
      throw new Error(`listing npm packages failed: "${name}" is in the image but not in package-lock.json`);
    return {
      name,
      version: entry.version,
      licence: entry.license ?? null,
      integrity: entry.integrity ?? null,
      licence_text: licenceText(join(node_modules, name)),
    };
  });
}

function licenceText(folder: string): string | null {
  if (!existsSync(folder)) return null;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(name));
  return file === undefined ? null : readFileSync(join(folder, file), "utf8");
}
