/** Native packages are not in the executable: they lie as files in `/usr/lib/aios`, or in the checkout while developing. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { lib_dir } from "../contracts/paths.ts";

/** Where a compiled executable sees its own bundled modules; no package can be resolved from there. */
const bundled_prefix = "/$bunfs/";

/**
 * Loads a native package by the file that its package.json names: a compiled executable does not read package.json when
 * it resolves a package by its name.
 * @throws when it is missing or does not load
 */
export function loadNative(name: string): unknown {
  const folder = join(packagesFolder(), name);
  try {
    const file = join(folder, mainOf(readFileSync(join(folder, "package.json"), "utf8")));
    return createRequire(`${folder}/`)(file);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`loading the native package "${name}" from "${folder}" failed: ${cause}`);
  }
}

/**
 * Forgets what `loadNative` loaded: the collector frees it when nobody holds anything of it, and the next `loadNative` loads
 * it anew. For WebAssembly; a shared object stays in the process.
 */
export function forgetNative(name: string): void {
  const folder = join(packagesFolder(), name);
  delete createRequire(`${folder}/`).cache[join(folder, mainOf(readFileSync(join(folder, "package.json"), "utf8")))];
}

/** Loads one file of a native package that has no module of its own to load it by. @throws when it is missing or does not load */
export function loadNativeFile(name: string, file: string): { readonly exports: unknown; readonly path: string } {
  const path = join(packagesFolder(), name, file);
  try {
    return { exports: createRequire(`${dirname(path)}/`)(path), path };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`loading "${path}" of the native package "${name}" failed: ${cause}`);
  }
}

/** Where a file of a native package lies: a shared object that something else loads, data. */
export function nativeFile(name: string, file: string): string {
  return join(packagesFolder(), name, file);
}

/** The version that its package.json names. @throws when it is missing */
export function nativeVersion(name: string): string {
  const folder = join(packagesFolder(), name);
  const read: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (typeof read !== "object" || read === null || !("version" in read) || typeof read.version !== "string")
    throw new Error(`reading the version of "${name}" failed: "${folder}/package.json" names none`);
  return read.version;
}

function packagesFolder(): string {
  const in_image = join(lib_dir, "node_modules");
  if (existsSync(in_image)) return in_image;
  const compiled = import.meta.dir.startsWith(bundled_prefix);
  return join(compiled ? process.cwd() : join(import.meta.dir, ".."), "node_modules");
}

function mainOf(package_json: string): string {
  const read: unknown = JSON.parse(package_json);
  const named = typeof read === "object" && read !== null && "main" in read ? read.main : undefined;
  return typeof named === "string" ? named : "index.js";
}
