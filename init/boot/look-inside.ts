/** A file system that came from outside, mounted read-only and only for as long as something on it is read. */

import type { System } from "../../sys/system.ts";
import type { BlockDevice } from "./block.ts";

/**
 * @param types which kinds may be mounted: the kernel's guess is never taken
 * @throws {SysError} when it cannot be mounted; an Error when it is of another kind; what `look` throws
 */
export function withMounted<T>(
  sys: Pick<System, "mount">,
  device: Pick<BlockDevice, "path" | "type" | "label">,
  at: string,
  types: readonly string[],
  look: () => T,
): T {
  if (device.type === null || !types.includes(device.type))
    throw new Error(
      `"${device.path}" is labelled "${device.label ?? ""}" but holds ${device.type ?? "no file system"}; use ${types.join(", ")}`,
    );
  sys.mount.mount({ source: device.path, target: at, type: device.type, flags: ["ro", "nosuid", "nodev", "noexec"] });
  try {
    return look();
  } finally {
    sys.mount.unmount(at, ["detach"]);
  }
}
