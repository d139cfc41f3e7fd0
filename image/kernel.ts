/** The kernel that `kernel-config/build.ts` leaves. */

import { existsSync, readFileSync } from "node:fs";
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
