/** The programs that start programs, for tests outside the image: built from the checkout when they are not there yet. */

import { join, resolve } from "node:path";
import type { ExecPrograms } from "../argv.ts";

const checkout = resolve(import.meta.dir, "../../..");

let built: ExecPrograms | null = null;

/** @throws when they cannot be built */
export function checkoutPrograms(): ExecPrograms {
  if (built !== null) return built;
  const made = Bun.spawnSync([process.execPath, join(checkout, "image/build.ts"), "programs"], { cwd: checkout, stderr: "pipe" });
  if (made.exitCode !== 0) throw new Error(`building the programs for sandboxes failed: ${made.stderr.toString()}`);
  built = {
    launch: join(checkout, "build/bin/launch"),
    bwrap: "/usr/bin/bwrap",
    filter: join(checkout, "build/seccomp/service.bpf"),
  };
  return built;
}
