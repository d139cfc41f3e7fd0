/**
 * What a sandbox is to show, by descriptor. bwrap takes paths, and a path may mean another thing by the time it looks: so
 * the thing itself is bind-mounted below a folder that only root can enter, and bwrap gets that path. Once the sandbox
 * stands it has mounts of its own, and the stage is taken down.
 */

import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import type { System } from "../../sys/system.ts";

export interface Stage {
  /** @throws {SysError} */
  put(from: string | number): string;
  /** Never throws. */
  strike(): void;
}

/** @param folder its own; made when there is something to put there */
export function openStage(folder: string, sys: Pick<System, "mount">): Stage {
  let count = 0;
  return {
    put(from) {
      if (typeof from === "string") return from;
      const source = `/proc/self/fd/${from}`;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      count += 1;
      const target = `${folder}/${count}`;
      if (statSync(source).isDirectory()) mkdirSync(target);
      else closeSync(openSync(target, "wx"));
      sys.mount.mount({ source, target, type: "", flags: ["bind"] });
      return target;
    },
    strike() {
      if (count > 0) strikeStage(folder, sys);
    },
  };
}

/** Takes one down whoever put it up; what cannot be unmounted stays, and is not looked into. */
export function strikeStage(folder: string, sys: Pick<System, "mount">): void {
  for (const name of entries(folder)) {
    const target = `${folder}/${name}`;
    try {
      sys.mount.unmount(target, ["detach", "nofollow"]);
    } catch {
      // it was not mounted yet
    }
    attempt(() => rmdirSync(target)); // neither takes away what is still mounted (EBUSY)
    attempt(() => unlinkSync(target));
  }
  attempt(() => rmdirSync(folder));
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // gone, or not of this kind
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
