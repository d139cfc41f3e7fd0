/** Calls stand in the audit with the real paths that they touched; people ask by the path that they know. */

import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * @param name of a resource, or the start of one that ends in `*`
 * @returns it, and where it is a path that leads over symbolic links, the path to which it leads now
 */
export function spellingsOf(name: string): readonly string[] {
  if (!name.startsWith("/")) return [name];
  const star = name.endsWith("*") ? "*" : "";
  const path = star === "" ? name : name.slice(0, -1);
  // what is after the last slash need not be the whole of a name
  const [folder, rest] = star === "" ? [path, ""] : [path.slice(0, path.lastIndexOf("/") + 1), path.slice(path.lastIndexOf("/") + 1)];
  const real = realOf(folder);
  const there = star === "" ? real : `${real.endsWith("/") ? real : `${real}/`}${rest}`;
  return there === path ? [name] : [name, `${there}${star}`];
}

/** The real path of as much of it as is there. */
function realOf(path: string): string {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(realpathSync(at), ...missing);
    } catch {
      if (at === dirname(at)) return path;
      missing.unshift(at.slice(dirname(at).length).replace(/^\//, ""));
    }
  }
}
