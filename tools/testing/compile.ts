/**
 * proof.ts as an executable. To start from source costs a broker a third of a second of a processor, most of it for reading
 * TypeScript, and the proofs of all cases start more than a thousand; compiled it is a third of that. The code is the same, and
 * finds its files where it does from source.
 */

import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BunPlugin } from "bun";

const checkout = resolve(import.meta.dir, "../..");
/** Found below the working directory when it runs. */
const external = ["ffi-rs", "better-sqlite3", "@cedar-policy/cedar-wasm"];

/** Compiled, all source has one place, which is on no disk, and the executable is not what runs source. */
const places: BunPlugin = {
  name: "as from source",
  setup(build) {
    build.onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const contents = (await Bun.file(path).text())
        .replaceAll("process.execPath", JSON.stringify(process.execPath))
        .replaceAll("import.meta.dir", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
};

/** @returns the executable; it is to be started in the checkout */
export async function compileProof(): Promise<string> {
  const outfile = join(checkout, "build/test/proof");
  mkdirSync(dirname(outfile), { recursive: true });
  await Bun.build({
    entrypoints: [join(import.meta.dir, "proof.ts")],
    compile: { outfile, autoloadPackageJson: true },
    ...{ target: "bun", format: "esm", bytecode: true, splitting: true, minify: { syntax: true, whitespace: true } },
    ...{ external, plugins: [places] },
  });
  return outfile;
}
