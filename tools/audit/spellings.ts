/** Calls stand in the audit with the real paths that they touched; people ask by the path that they know. */

import { realPath } from "../paths/real-path.ts";

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
  const real = realPath(folder);
  const there = star === "" ? real : `${real.endsWith("/") ? real : `${real}/`}${rest}`;
  return there === path ? [name] : [name, `${there}${star}`];
}
