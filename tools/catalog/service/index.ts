/** Services: what PID 1 keeps running, the system's own and those that were defined. */

import type { Loaders } from "../../load.ts";

export { service_restorer } from "./restore.ts";
export const service_tools: Loaders = {
  "service.define": async () => (await import("./define.ts")).serviceDefine,
  "service.disable": async () => (await import("./disable.ts")).serviceDisable,
  "service.enable": async () => (await import("./enable.ts")).serviceEnable,
  "service.list": async () => (await import("./list.ts")).serviceList,
  "service.logs": async () => (await import("./logs.ts")).serviceLogs,
  "service.remove": async () => (await import("./remove.ts")).serviceRemove,
  "service.restart": async () => (await import("./restart.ts")).serviceRestart,
  "service.start": async () => (await import("./start.ts")).serviceStart,
  "service.status": async () => (await import("./status.ts")).serviceStatus,
  "service.stop": async () => (await import("./stop.ts")).serviceStop,
  "service.usage": async () => (await import("./usage.ts")).serviceUsage,
};
