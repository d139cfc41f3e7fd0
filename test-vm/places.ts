/** Where the harness finds what the build made, and where it keeps its own files. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "..");
export const build = join(checkout, "build");
/** Where the products under test are: `AIOS_BUILD` tests those of another build. */
const products = resolve(process.env["AIOS_BUILD"] ?? build);

export const built = {
  root_folder: join(products, "root"),
  root_image: join(products, "root.erofs"),
  disk_image: join(products, "disk.raw"),
  kernel: join(products, "kernel/x86_64/vmlinuz"),
  client: join(products, "bin/aiosctl"),
  executable: join(products, "bin/aios"),
  userland: join(products, "userland.erofs"),
} as const;

/** Kept between runs. */
export const run_folder = join(build, "run");
export const bench_folder = join(build, "bench");

/** @throws when it is not built yet */
export function needBuilt(what: keyof typeof built): string {
  const path = built[what];
  if (!existsSync(path)) throw new Error(`looking for the ${what.replace("_", " ")} failed: "${path}" is not there; run "make image"`);
  return path;
}

/** A new folder for one run of one machine or container. Those that a killed harness left behind are removed. */
export function newFolder(name: string, home = join(build, "tmp")): string {
  mkdirSync(home, { recursive: true });
  for (const entry of readdirSync(home)) if (isLeftBehind(entry, name)) tryToRemove(join(home, entry));
  return mkdtempSync(join(home, `${name}-${process.pid}-`));
}

/** Two at once do the same, and what a killed container had mounted may be busy for a while yet: the next one finds what is left. */
function tryToRemove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    process.stderr.write(`removing what an earlier run has left failed: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Whether `entry` is `<name>-<pid>-…` of a process that is gone. */
export function isLeftBehind(entry: string, name: string): boolean {
  const pid = new RegExp(`^${name}-(\\d+)-`).exec(entry)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}
