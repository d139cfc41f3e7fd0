/** The programs that start programs, for tests outside the image: built from the checkout when they are not there, or old. */

import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ExecPrograms } from "../argv.ts";

const checkout = resolve(import.meta.dir, "../../..");
const programs: ExecPrograms = {
  launch: join(checkout, "build/bin/launch"),
  bwrap: "/usr/bin/bwrap",
  filter: join(checkout, "build/seccomp/service.bpf"),
};
const sources = ["init/launch.c", "image/seccomp/make-filter.c", "image/seccomp/service.syscalls"].map((path) => join(checkout, path));

/** @throws when they cannot be built */
export function checkoutPrograms(): ExecPrograms {
  if (oldest([programs.launch, programs.filter]) > newest(sources)) return programs;
  const made = Bun.spawnSync([process.execPath, join(checkout, "image/build.ts"), "programs"], { cwd: checkout, stderr: "pipe" });
  if (made.exitCode !== 0) throw new Error(`building the programs for sandboxes failed: ${made.stderr.toString()}`);
  return programs;
}

const newest = (paths: readonly string[]): number => Math.max(...paths.map(changedMs));
const oldest = (paths: readonly string[]): number => Math.min(...paths.map(changedMs));

/** 0 when it is not there. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
