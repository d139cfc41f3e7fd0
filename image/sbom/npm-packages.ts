/** The npm packages of what we build: bundled into an executable, or shipped as files. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checkout, node_modules } from "../places.ts";

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
    }),
  ),
});
const Meta = z.object({ inputs: z.record(z.string(), z.unknown()) });

/** What package.json says and is no SPDX expression, and what it means. */
const licences_meant: Readonly<Record<string, string>> = {
  "MIT OR Apache": "MIT OR Apache-2.0", // sqlite-vec: LICENSE-MIT and LICENSE-APACHE (2.0) in its repository
};

export interface NpmPackage {
  readonly name: string;
  /** Its folder below node_modules: the name, or where a second version of it is kept. */
  readonly place: string;
  readonly version: string;
  readonly licence: string | null;
  /** Subresource integrity, as npm checked it. */
  readonly integrity: string | null;
  readonly licence_text: string | null;
}

/** Places of the packages of which the bundler took at least one file. @param metafile what `bun build` wrote */
export function bundledPlaces(metafile: string): string[] {
  const meta = Meta.parse(JSON.parse(readFileSync(metafile, "utf8")));
  const places = Object.keys(meta.inputs).map(
    (path) => /(?:^|\/)node_modules\/((?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1],
  );
  return [...new Set(places)].filter((place) => place !== undefined);
}

export function npmPackages(places: readonly string[]): NpmPackage[] {
  const lock = Lock.parse(JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")));
  return [...new Set(places)].sort().flatMap((place) => {
    const entry = lock.packages[`node_modules/${place}`];
    if (entry?.link === true) return []; // a folder of this checkout
    if (entry?.version === undefined)
      throw new Error(`listing npm packages failed: "${place}" is in what was built but not in package-lock.json`);
    return {
      name: place.split("node_modules/").at(-1) ?? place,
      place,
      version: entry.version,
      licence: entry.license === undefined ? null : (licences_meant[entry.license] ?? entry.license),
      integrity: entry.integrity ?? null,
      licence_text: licenceText(join(node_modules, place)),
    };
  });
}

function licenceText(folder: string): string | null {
  if (!existsSync(folder)) return null;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(name));
  return file === undefined ? null : readFileSync(join(folder, file), "utf8");
}
