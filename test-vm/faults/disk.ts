/** A small disk for what changes. */

import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { atEnd } from "../owned.ts";
import { build, isLeftBehind, newFolder } from "../places.ts";

const size = "512m";
const inodes = 20_000;

export interface SmallDisk {
  readonly path: string;
  end(): void;
}

/** Mounts of a harness that was killed: they keep their folders from being removed. */
export function unmountLeftBehind(name: string): void {
  const home = join(build, "tmp");
  if (!existsSync(home)) return;
  for (const entry of readdirSync(home))
    if (isLeftBehind(entry, name)) Bun.spawnSync(["umount", "--lazy", join(home, entry)], { stderr: "ignore" });
}

export function smallDisk(name: string): SmallDisk {
  unmountLeftBehind(name);
  const path = newFolder(name);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size},nr_inodes=${inodes},mode=0755`, "tmpfs", path]);
  if (mounted.exitCode !== 0) throw new Error(`mounting a small disk failed: ${mounted.stderr.toString()}`);
  const end = atEnd(() => void Bun.spawnSync(["umount", "--lazy", path]));
  chmodSync(path, 0o755);
  return { path, end };
}
