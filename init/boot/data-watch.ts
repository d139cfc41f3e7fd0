/**
 * A data partition whose file system meets an error while the system runs: the kernel shuts it down (ext4 with errors=remount-ro;
 * fs/ext4/super.c of 6.12: EXT4_FLAGS_SHUTDOWN). Nothing on it can be written or even read then, no call can be recorded, and so
 * neither a tier nor a person can put it right. What was acknowledged is on it, and a start checks and mends it: the machine starts
 * anew. Where the start before had to mend it too, it is the disk: the system stays as it is, reachable, for a person.
 */

import { closeSync, existsSync, openSync } from "node:fs";
import { basename } from "node:path";
import { data_dir } from "../../contracts/paths.ts";
import { readText } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { done } from "./result.ts";

const look_interval_ms = 5000;
/** People see why, and services come to an end of what they do. */
const delay_ms = 15_000;
/** After it was mended, a second error within this time is the disk's own. */
const again_after_ms = 6 * 3_600_000;
/** Written at every boot; any other file would do. */
const known_file = `${data_dir}/machine-id`;

export const dataWatch: Phase = {
  name: "data watch",
  what: "Notices that the data partition's file system has shut itself down, and has it mended by a restart",
  modes: "machine",
  limit_ms: 1000,
  run: async (boot) => {
    const { device, persistent } = boot.state.data;
    if (device === null || !persistent) return done("there is no data partition");
    const look = dataWatcher(boot, () => errorsOf(device) && isShutDown(known_file));
    const timer = setInterval(() => {
      if (look()) clearInterval(timer);
    }, look_interval_ms).unref();
    return done(`looked at every ${look_interval_ms / 1000} s`);
  },
};

/** @returns called again and again until it says that it has done what there is to do */
export function dataWatcher(
  boot: Pick<BootContext, "sys" | "state" | "degrade" | "requestShutdown">,
  isShut: () => boolean,
  later: (work: () => void) => void = (work) => void setTimeout(work, delay_ms),
): () => boolean {
  return () => {
    if (!isShut()) return false;
    const { mended, detail } = boot.state.data;
    const what = `its file system met an error and was shut down by the kernel: nothing on it can be read or written (${detail})`;
    if (mended && boot.sys.clock.nowMs("boottime") < again_after_ms) {
      boot.degrade("data", {
        what: "data partition",
        detail: `${what}; it had been mended at this start`,
        todo: "replace the disk, then restart the machine",
      });
      return true;
    }
    boot.degrade("data", { what: "data partition", detail: what, todo: "wait: the machine restarts to check and mend it" });
    later(() =>
      boot.requestShutdown("reboot", "the data partition's file system was shut down after an error: a start checks and mends it"),
    );
    return true;
  };
}

/** Documentation/ABI/testing/sysfs-fs-ext4: errors since the last fsck. */
function errorsOf(device: string): boolean {
  return Number(readText(`/sys/fs/ext4/${basename(device)}/errors_count`) ?? 0) > 0;
}

/** A file that is there cannot be opened. */
function isShutDown(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    closeSync(openSync(path, "r"));
    return false;
  } catch (error) {
    return errnoOf(error) === "EIO";
  }
}

function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
