/** Watching over the system: bans, integrity, scans. Permission and the audit have lists of their own. */

import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { ban } from "./ban.ts";
import { baselineTool } from "./integrity_baseline.ts";
import { type ComparePorts, compareTool } from "./integrity_compare.ts";
import { scanTool } from "./scan.ts";
import { applyBans } from "./shared/bans.ts";
import { unban } from "./unban.ts";

export function secTools(ports: ComparePorts): readonly AnyTool[] {
  return [ban, baselineTool(ports), compareTool(ports), scanTool(ports), unban];
}

export const sec_restorer: Restorer = { name: "bans", family: "sec", restore: applyBans };
