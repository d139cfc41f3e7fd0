/** Watching over the system: bans. Permission and the audit have lists of their own, as they need more than a context. */

import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { ban } from "./ban.ts";
import { applyBans } from "./shared/bans.ts";
import { unban } from "./unban.ts";

export const sec: readonly AnyTool[] = [ban, unban];

export const sec_restorer: Restorer = { name: "bans", family: "sec", restore: applyBans };
