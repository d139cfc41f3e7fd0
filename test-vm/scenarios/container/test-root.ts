/** A root folder for integration tests: the built one, with the executable of the tests in it. */

import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, built, needBuilt } from "../../places.ts";

const checkout = resolve(import.meta.dir, "../../..");

export interface TestRoot {
  readonly path: string;
  remove(): void;
}

export async function testRoot(): Promise<TestRoot> {
  const from = needBuilt("root_folder");
  const folder = mkdtempSync(join(build, "init-test-"));
  const path = join(folder, "root");
  cpSync(from, path, { recursive: true, verbatimSymlinks: true, filter: (source) => source !== join(from, "usr/bin/aios") });
  const executable = join(path, "usr/bin/aios");
  const argv = [process.execPath, "build", "--compile", "--compile-autoload-package-json", "--no-compile-autoload-dotenv"];
  argv.push("--no-compile-autoload-bunfig", "--external=ffi-rs", "--external=better-sqlite3");
  argv.push(join(checkout, "init/testing/aios.ts"), "--outfile", executable);
  const compiled = Bun.spawnSync(argv, { cwd: checkout, stdout: "pipe", stderr: "pipe" });
  if (!existsSync(executable)) throw new Error(`compiling the executable of the tests failed: ${compiled.stderr.toString()}`);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Why integration tests cannot run here; null when they can. */
export function missing(): string | null {
  if (process.getuid?.() !== 0) return "not root";
  return existsSync(built.root_folder) ? null : "no root is built";
}
