/** The system as a whole: what it is, how busy, its name, clock, parameters, power, logs and events. */

import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { clean } from "./clean.ts";
import { declared } from "./declared.ts";
import { events } from "./events.ts";
import { hostname } from "./hostname.ts";
import { info } from "./info.ts";
import { logs } from "./logs.ts";
import { metrics } from "./metrics.ts";
import { power } from "./power.ts";
import { restoreSettings } from "./restore.ts";
import { rotate } from "./rotate.ts";
import { sysctl } from "./sysctl.ts";
import { time } from "./time.ts";

export const sys: readonly AnyTool[] = [clean, declared, events, hostname, info, logs, metrics, power, rotate, sysctl, time];

export const sys_restorer: Restorer = { name: "host name and kernel parameters", family: "sys", restore: restoreSettings };
