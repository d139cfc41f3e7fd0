/** Small files of the system's own. */

import { existsSync, readFileSync, rmSync } from "node:fs";

export function readOrNull(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

export function removeIfThere(path: string): void {
  rmSync(path, { force: true });
}
