/** The system as a whole: what it is, how busy, its name, clock, parameters, power, logs and events. */

import type { Loaders } from "../../load.ts";
import type { Restorer } from "../../restore.ts";
import { restoreSettings } from "./restore.ts";

export const sys: Loaders = {
  "sys.clean": async () => (await import("./clean.ts")).clean,
  "sys.declared": async () => (await import("./declared.ts")).declared,
  "sys.drives": async () => (await import("./drives.ts")).drives,
  "sys.events": async () => (await import("./events.ts")).events,
  "sys.hostname": async () => (await import("./hostname.ts")).hostname,
  "sys.info": async () => (await import("./info.ts")).info,
  "sys.logs": async () => (await import("./logs.ts")).logs,
  "sys.metrics": async () => (await import("./metrics.ts")).metrics,
  "sys.power": async () => (await import("./power.ts")).power,
  "sys.rotate": async () => (await import("./rotate.ts")).rotate,
  "sys.sysctl": async () => (await import("./sysctl.ts")).sysctl,
  "sys.time": async () => (await import("./time.ts")).time,
};

export const sys_restorer: Restorer = { name: "host name and kernel parameters", family: "sys", restore: restoreSettings };
