/** Walks a tree without following links: links in a root point to where they lead at run time, not on this host. */

import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";

export interface Entry {
  /** Absolute inside the tree. */
  readonly path: string;
  readonly host_path: string;
  readonly kind: Stats;
}

/** Everything below `root` in a fixed order, a directory before what is in it. */
export function walk(root: string, inside = "/"): Entry[] {
  return readdirSync(join(root, inside))
    .sort()
    .flatMap((name) => {
      const path = join(inside, name);
      const host_path = join(root, path);
      const kind = lstatSync(host_path);
      const entry: Entry = { path, host_path, kind };
      return kind.isDirectory() ? [entry, ...walk(root, path)] : [entry];
    });
}
