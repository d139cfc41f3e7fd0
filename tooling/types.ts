/**
 * The types of the whole checkout, by tsc. What it knows of each file by its content is kept outside the checkout: a fresh clone then looks
 * at what is different, which takes a tenth of the time.
 */

import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot } from "./cache.ts";

const checkout = join(import.meta.dir, "..");
/** As tsconfig.json names it. */
const here = join(checkout, "build/check/tsconfig.tsbuildinfo");
const kept = join(cacheRoot(), "types", "tsconfig.tsbuildinfo");

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

if (!existsSync(here) && existsSync(kept)) copy(kept, here);
const { exitCode } = Bun.spawnSync([join(checkout, "node_modules/.bin/tsc"), "-p", "."], {
  cwd: checkout,
  stdout: "inherit",
  stderr: "inherit",
});
if (exitCode === 0 && existsSync(here)) copy(here, kept);
process.exit(exitCode);
