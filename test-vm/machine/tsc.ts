/**
 * Software emulation hands its guest the time stamp counter of this host, and the guest's kernel finds out how fast that is by waiting
 * for an emulated timer. On a busy host the emulator may not run meanwhile: once in so many starts it came out as a seventeenth, and for
 * that guest everything took seventeen times as long, time limits of its services included. So the kernel is told (`tsc_early_khz=`,
 * Documentation/admin-guide/kernel-parameters.txt).
 */

import { join } from "node:path";
import { cached, keyOf } from "../../tooling/cache.ts";
import { run } from "../../tooling/run.ts";
import { checkout } from "../places.ts";
import type { Accelerator } from "./accelerator.ts";

const source = join(checkout, "test-vm/fixtures/tsc.c");
let measured: Promise<string | null> | null = null;

/** @returns words for the kernel's command line, or null: it finds out for itself */
export async function tscWords(accelerator: Accelerator): Promise<string | null> {
  if (accelerator !== "tcg" || process.arch !== "x64") return null;
  measured ??= measure();
  return await measured;
}

async function measure(): Promise<string | null> {
  const folder = await cached("test-tsc", keyOf({ files: [source] }), async (into) => {
    await run(["musl-gcc", "-static", "-O1", "-Wall", "-o", join(into, "tsc"), source]);
  });
  const khz = Number((await run([join(folder, "tsc")])).trim());
  return Number.isInteger(khz) && khz > 100_000 ? `tsc_early_khz=${khz}` : null;
}
