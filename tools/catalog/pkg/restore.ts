/** At the broker's start: what was left half made is gone, and the generation that counts is where services look for it. */

import { existsSync } from "node:fs";
import type { Restorer } from "../../restore.ts";
import { folderOf } from "./shared/folders.ts";
import { showCurrent } from "./shared/mounts.ts";
import { dropAllStagings } from "./shared/staging.ts";

export const pkg_restorer: Restorer = {
  name: "the userland",
  family: "pkg",
  async restore(context) {
    if (!existsSync(folderOf(context.places))) return; // nobody has used it yet
    dropAllStagings(context);
    await showCurrent(context);
  },
};
