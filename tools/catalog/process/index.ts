/** Processes: running programs, looking at what runs, ending and limiting it. */

import type { AnyTool } from "../../tool.ts";
import { processInfo } from "./info.ts";
import { processKill } from "./kill.ts";
import { processLimits } from "./limits.ts";
import { processList } from "./list.ts";
import { processOpenFiles } from "./open_files.ts";
import { processPriority } from "./priority.ts";
import { processSignal } from "./signal.ts";
import { processSpawn } from "./spawn.ts";
import { processTrace } from "./trace.ts";
import { processTree } from "./tree.ts";

export const process_tools: readonly AnyTool[] = [
  processInfo,
  processKill,
  processLimits,
  processList,
  processOpenFiles,
  processPriority,
  processSignal,
  processSpawn,
  processTrace,
  processTree,
];
