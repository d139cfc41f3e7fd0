/**
 * A disk of its own for a test: an image on a loop device, mounted in the mount namespace of the command that is started
 * with it, so that it goes with the command. Needs root.
 */

import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { diskFolder } from "./folder.ts";

export interface SmallDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /** What a command is started by. */
  readonly wrap: readonly string[];
  /** Its file system finds an error and makes itself read-only, as after a bad block. @param pid of the command */
  fail(pid: number): void;
  /** Mends it, when nothing has it mounted. @returns what the program said */
  mend(): string;
  /** A path on it, as this process can open it. @param pid of the command */
  seen(pid: number, path: string): string;
}

/** ext4, all of whose blocks anybody may use. */
export function smallDisk(name: string, bytes: number): SmallDisk {
  const folder = diskFolder(name);
  const image = join(diskFolder(`${name}-image`), "disk");
  writeFileSync(image, "");
  truncateSync(image, bytes);
  const made = Bun.spawnSync(["mkfs.ext4", "-q", "-m", "0", "-b", "4096", "-O", "^has_journal", image]);
  if (!made.success) throw new Error(`making the file system "${image}" failed: ${made.stderr.toString()}`);
  const script = 'mount -o loop,errors=remount-ro "$0" "$1" && shift && exec "$@"';
  return {
    folder,
    wrap: ["unshare", "--mount", "sh", "-c", script, image, folder],
    fail(pid) {
      const [device = ""] = readFileSync(`/proc/${pid}/mounts`, "utf8")
        .split("\n")
        .filter((line) => line.split(" ")[1] === folder);
      const [name = ""] = device.split(" ");
      try {
        writeFileSync(`/sys/fs/ext4/${basename(name)}/trigger_fs_error`, "test");
      } catch (error) {
        // the file system that it is about refuses everything by then
        if (!(error instanceof Error && error.message.includes("EROFS"))) throw error;
      }
    },
    mend: () => Bun.spawnSync(["fsck.ext4", "-y", image]).stdout.toString(),
    seen: (pid, path) => join(`/proc/${pid}/root`, path),
  };
}
