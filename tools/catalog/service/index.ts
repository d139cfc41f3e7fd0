/** Services: what PID 1 keeps running, the system's own and those that were defined. */

import type { AnyTool } from "../../tool.ts";
import { serviceDefine } from "./define.ts";
import { serviceDisable } from "./disable.ts";
import { serviceEnable } from "./enable.ts";
import { serviceList } from "./list.ts";
import { serviceLogs } from "./logs.ts";
import { serviceRemove } from "./remove.ts";
import { serviceRestart } from "./restart.ts";
import { serviceStart } from "./start.ts";
import { serviceStatus } from "./status.ts";
import { serviceStop } from "./stop.ts";
import { serviceUsage } from "./usage.ts";

export { service_restorer } from "./restore.ts";
export const service_tools: readonly AnyTool[] = [
  serviceDefine,
  serviceDisable,
  serviceEnable,
  serviceList,
  serviceLogs,
  serviceRemove,
  serviceRestart,
  serviceStart,
  serviceStatus,
  serviceStop,
  serviceUsage,
];
