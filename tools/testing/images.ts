/** Before-images kept by plain copies and links below one folder: for tests of tools without the store and its bounds. */

import { createHash } from "node:crypto";
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMounts } from "../paths/mounts.ts";
import { isWithin } from "../paths/path-text.ts";
import type { CallImages, KeptFile } from "../undo/images.ts";

/** @param folder of this call; made when it is missing */
export function plainImages(folder: string, call: string): CallImages {
  mkdirSync(folder, { recursive: true });
  const keep = (by: KeptFile["by"], make: (path: string) => void): KeptFile => {
    const name = String(readdirSync(folder).length);
    const path = join(folder, name);
    make(path);
    return {
      name,
      by,
      size_bytes: statSync(path).size,
      sha256: by === "link" ? null : createHash("sha256").update(readFileSync(path)).digest("hex"),
    };
  };
  return {
    async keepFile(fd, how) {
      const from = `/proc/self/fd/${fd}`;
      if (how === "link-or-copy" && statSync(from).dev === statSync(folder).dev) {
        try {
          return keep("link", (to) => linkSync(readlinkSync(from), to));
        } catch {
          // another mount of the same file system: copied instead
        }
      }
      return keep("copy", (to) => copyFileSync(from, to));
    },
    keepBytes: async (bytes) => keep("copy", (to) => writeFileSync(to, bytes)),
    pathOf: ({ name }) => join(folder, name),
    read: ({ name }) => readFileSync(join(folder, name)),
    folderFor(path) {
      const mounts = readMounts();
      const pointOf = (one: string): string =>
        mounts.filter(({ point }) => isWithin(one, point)).reduce((best, { point }) => (point.length >= best.length ? point : best), "/");
      const trash = pointOf(path) === pointOf(folder) ? join(folder, "trash") : join(pointOf(path), ".aios-trash", call);
      mkdirSync(trash, { recursive: true, mode: 0o700 });
      return trash;
    },
  };
}
