/** The tools of files. */

import type { Loaders } from "../../load.ts";

export const fs: Loaders = {
  "fs.read": async () => (await import("./read.ts")).read,
  "fs.write": async () => (await import("./write.ts")).write,
  "fs.edit": async () => (await import("./edit.ts")).edit,
  "fs.list": async () => (await import("./list.ts")).list,
  "fs.stat": async () => (await import("./stat.ts")).stat,
  "fs.find": async () => (await import("./find.ts")).find,
  "fs.search": async () => (await import("./search.ts")).search,
  "fs.copy": async () => (await import("./copy.ts")).copy,
  "fs.move": async () => (await import("./move.ts")).move,
  "fs.remove": async () => (await import("./remove.ts")).remove,
  "fs.mkdir": async () => (await import("./mkdir.ts")).mkdir,
  "fs.link": async () => (await import("./link.ts")).link,
  "fs.chmod": async () => (await import("./chmod.ts")).chmod,
  "fs.chown": async () => (await import("./chown.ts")).chown,
  "fs.usage": async () => (await import("./usage.ts")).usage,
  "fs.watch": async () => (await import("./watch.ts")).watch,
  "fs.mount": async () => (await import("./mount.ts")).mount,
  "fs.unmount": async () => (await import("./unmount.ts")).unmount,
  "fs.checksum": async () => (await import("./checksum.ts")).checksum,
};
