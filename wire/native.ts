/** Native packages are not in the executable: they lie as files in `/usr/lib/aios`, or in the checkout while developing. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { lib_dir } from "../contracts/paths.ts";

/** Where a compiled executable sees its own bundled modules; no package can be resolved from there. */
const bundled_prefix = "/$bunfs/";

/** A `require` that finds the native packages. */
export function nativeRequire(): NodeJS.Require {
  if (existsSync(join(lib_dir, "node_modules"))) return createRequire(`${lib_dir}/`);
  const here = import.meta.dir.startsWith(bundled_prefix) ? process.cwd() : import.meta.dir;
  return createRequire(`${here}/`);
}
