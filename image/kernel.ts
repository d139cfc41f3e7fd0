/** The kernel that `kernel-config/build.ts` leaves. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { kernel } from "./places.ts";

const version_pointer_at = 0x20e;
const setup_header_at = 0x200;

/** The version that the image says of itself, or null when there is no kernel yet. */
export function kernelVersion(file = kernel): string | null {
  if (!existsSync(file)) return null;
  const bytes = readFileSync(file);
  if (bytes.toString("latin1", 0x202, 0x206) !== "HdrS")
    throw new Error(`reading the version of kernel "${file}" failed: it is no x86 boot image`);
  const at = bytes.readUInt16LE(version_pointer_at) + setup_header_at;
  const version = bytes.toString("latin1", at, bytes.indexOf(0, at)).split(" ")[0];
  if (version === undefined || !/^\d+\.\d+/.test(version))
    throw new Error(`reading the version of kernel "${file}" failed: found "${version}"`);
  return version;
}

/** The Debian package that the kernel was built from, as kernel-config/ leaves it beside the kernel. */
const Source = z.strictObject({ package: z.string(), version: z.string(), sha256: z.string() });

export interface Kernel {
  readonly version: string;
  readonly source: z.infer<typeof Source>;
}

/** @returns null when there is no kernel yet */
export function readKernel(): Kernel | null {
  const version = kernelVersion();
  if (version === null) return null;
  const file = join(dirname(kernel), "source.json");
  if (!existsSync(file)) throw new Error(`reading what the kernel was built from failed: no "${file}"; run "bun kernel-config/build.ts"`);
  return { version, source: Source.parse(JSON.parse(readFileSync(file, "utf8"))) };
}
