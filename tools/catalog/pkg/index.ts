/** Debian packages, in a userland on the data partition. */

import type { AnyTool } from "../../tool.ts";
import { files } from "./files.ts";
import { history } from "./history.ts";
import { info } from "./info.ts";
import { install } from "./install.ts";
import { list } from "./list.ts";
import { prune } from "./prune.ts";
import { remove } from "./remove.ts";
import { rollback } from "./rollback.ts";
import { search } from "./search.ts";
import { squash } from "./squash.ts";
import { update } from "./update.ts";

export { pkg_restorer } from "./restore.ts";
export const pkg: readonly AnyTool[] = [search, list, info, files, history, install, remove, update, rollback, squash, prune];
