/** A small disk for what changes. */

import { chmodSync } from "node:fs";
import { atEnd } from "../owned.ts";
import { newFolder } from "../places.ts";

const size = "512m";
const inodes = 20_000;

export interface SmallDisk {
  readonly path: string;
  end(): void;
}

export function smallDisk(name: string): SmallDisk {
  const path = newFolder(name);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size},nr_inodes=${inodes},mode=0755`, "tmpfs", path]);
  if (mounted.exitCode !== 0) throw new Error(`mounting a small disk failed: ${mounted.stderr.toString()}`);
  const end = atEnd(() => void Bun.spawnSync(["umount", "--lazy", path]));
  chmodSync(path, 0o755);
  return { path, end };
}
