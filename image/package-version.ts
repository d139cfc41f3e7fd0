/** The version in a package.json. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const Versions = z.object({ version: z.string() });

export function packageVersion(folder: string): string {
  return Versions.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))).version;
}
