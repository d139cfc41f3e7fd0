/**
 * Processes and files that must not outlive the harness: ended and removed on exit, on SIGINT and SIGTERM. Against a
 * harness that is killed, every process also asks the kernel to be killed with its parent (PR_SET_PDEATHSIG).
 */

import { rmSync } from "node:fs";
import type { Subprocess } from "bun";

type Cleanup = () => void;

const cleanups = new Set<Cleanup>();
let hooked = false;

function cleanAll(): void {
  for (const cleanup of [...cleanups].reverse()) {
    try {
      cleanup(); // which takes itself out first
    } catch (error) {
      process.stderr.write(`cleaning up failed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Runs `cleanup` when this process ends, unless it was run before through what is returned. */
export function atEnd(cleanup: Cleanup): Cleanup {
  if (!hooked) {
    hooked = true;
    process.on("exit", cleanAll);
    for (const [signal, status] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      process.on(signal, () => {
        cleanAll();
        process.exit(status);
      });
    }
  }
  const once = (): void => {
    if (cleanups.delete(once)) cleanup();
  };
  cleanups.add(once);
  return once;
}

/** The argument vector that dies with this process. */
export function dyingWithUs(argv: readonly string[]): string[] {
  return ["setpriv", "--pdeathsig", "KILL", "--", ...argv];
}

export function endProcess(child: Subprocess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
