/** What this build is, as the image says (docs/LAYOUT.md: release.json). */

import { readFileSync } from "node:fs";
import { lib_dir } from "../contracts/paths.ts";

/** `0` when there is no readable release file, as in a checkout. */
export function releaseVersion(path = `${lib_dir}/release.json`): string {
  try {
    const release: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof release !== "object" || release === null || !("version" in release)) return "0";
    return typeof release.version === "string" ? release.version : "0";
  } catch {
    return "0";
  }
}
