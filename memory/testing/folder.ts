/** Folders on a disk for tests: /tmp is in memory on Debian 13, and the memory service tells the two apart. */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A new folder that is removed when the tests end. */
export function diskFolder(name: string): string {
  const folder = mkdtempSync(join("/var/tmp", `aios-${name}-`));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
