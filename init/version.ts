/** `aios version` */

import { releaseVersion } from "./release.ts";

export async function main(): Promise<void> {
  process.stdout.write(`aios ${releaseVersion()}\n`);
}
