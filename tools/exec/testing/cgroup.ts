/** A cgroup of a test's own, in whatever v2 tree this machine has. */

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { killCgroup, removeCgroup } from "../../../sys/cgroup.ts";

const trees = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/** @returns null where there is no tree that can be written */
export function testCgroup(name: string): { readonly path: string; remove(): Promise<void> } | null {
  const tree = trees.find((path) => existsSync(`${path}/cgroup.procs`));
  if (tree === undefined) return null;
  const path = `${tree}/aios-test-${name}-${process.pid}`;
  try {
    mkdirSync(path);
  } catch {
    return null;
  }
  return {
    path,
    async remove() {
      for (let round = 0; round < 200; round += 1) {
        killCgroup(path);
        for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(`${path}/${entry.name}`);
        if (removeCgroup(path)) return;
        await Bun.sleep(10);
      }
    },
  };
}
