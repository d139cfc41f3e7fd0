/** Processes: running programs, looking at what runs, ending and limiting it. */

import type { Loaders } from "../../load.ts";

export const process_tools: Loaders = {
  "process.info": async () => (await import("./info.ts")).processInfo,
  "process.kill": async () => (await import("./kill.ts")).processKill,
  "process.limits": async () => (await import("./limits.ts")).processLimits,
  "process.list": async () => (await import("./list.ts")).processList,
  "process.open_files": async () => (await import("./open_files.ts")).processOpenFiles,
  "process.priority": async () => (await import("./priority.ts")).processPriority,
  "process.signal": async () => (await import("./signal.ts")).processSignal,
  "process.spawn": async () => (await import("./spawn.ts")).processSpawn,
  "process.trace": async () => (await import("./trace.ts")).processTrace,
  "process.tree": async () => (await import("./tree.ts")).processTree,
};
