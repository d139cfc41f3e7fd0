/** One file of a file system that came from outside: read by a program of its own (init/look-inside.c), which alone waits for the disk. */

import { lib_dir } from "../../contracts/paths.ts";
import type { BlockDevice } from "./block.ts";
import { runHelper } from "./helper.ts";
import type { BootContext } from "./phase.ts";

const program = `${lib_dir}/look-inside`;
/** A stick that is slow reads a megabyte a second. */
const limit_per_mib_ms = 1_000;
export const look_limit_ms = 30_000;
const no_such_file = 3;

export interface Look {
  /** Which kinds may be mounted: the kernel's guess is never taken. */
  readonly types: readonly string[];
  /** From its root; no link on it leads out of it. */
  readonly path: string;
  /** A larger one is not read. */
  readonly bytes_max: number;
}

/**
 * @param by the program, for tests
 * @returns null when there is no such file
 * @throws when the device does not answer, cannot be mounted or is of another kind, and when the file cannot be read
 */
export async function lookInside(
  boot: Pick<BootContext, "ownChild">,
  device: Pick<BlockDevice, "path" | "type" | "label">,
  { types, path, bytes_max }: Look,
  by: string = program,
): Promise<Buffer | null> {
  if (device.type === null || !types.includes(device.type))
    throw new Error(
      `"${device.path}" is labelled "${device.label ?? ""}" but holds ${device.type ?? "no file system"}; use ${types.join(", ")}`,
    );
  const limit_ms = look_limit_ms + (bytes_max / 2 ** 20) * limit_per_mib_ms;
  const look = await runHelper(boot, [by, device.path, device.type, path, String(bytes_max)], { limit_ms, bytes_max });
  if (look.status === 0) return look.stdout;
  if (look.status === no_such_file) return null;
  throw new Error(`reading "${path}" on "${device.path}" failed: ${look.said || `status ${look.status}`}`);
}
