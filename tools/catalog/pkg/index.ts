/** Debian packages, in a userland on the data partition. */

import type { Loaders } from "../../load.ts";

export { pkg_restorer } from "./restore.ts";
export const pkg: Loaders = {
  "pkg.search": async () => (await import("./search.ts")).search,
  "pkg.list": async () => (await import("./list.ts")).list,
  "pkg.info": async () => (await import("./info.ts")).info,
  "pkg.files": async () => (await import("./files.ts")).files,
  "pkg.history": async () => (await import("./history.ts")).history,
  "pkg.install": async () => (await import("./install.ts")).install,
  "pkg.remove": async () => (await import("./remove.ts")).remove,
  "pkg.update": async () => (await import("./update.ts")).update,
  "pkg.rollback": async () => (await import("./rollback.ts")).rollback,
  "pkg.squash": async () => (await import("./squash.ts")).squash,
  "pkg.prune": async () => (await import("./prune.ts")).prune,
};
