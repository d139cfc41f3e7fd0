/** The system as a whole: what it is, how busy, its name, clock, parameters, power, logs and events. */

import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { clean } from "./clean.ts";
import { events } from "./events.ts";
import { hostname, hostname_key, setHostname } from "./hostname.ts";
import { info } from "./info.ts";
import { logs } from "./logs.ts";
import { metrics } from "./metrics.ts";
import { power } from "./power.ts";
import { rotate } from "./rotate.ts";
import { declaredValue } from "./shared/settings.ts";
import { readSysctl, sysctl, sysctl_prefix, writeSysctl } from "./sysctl.ts";
import { time } from "./time.ts";

export const sys: readonly AnyTool[] = [clean, events, hostname, info, logs, metrics, power, rotate, sysctl, time];

export const sys_restorer: Restorer = {
  name: "host name and kernel parameters",
  family: "sys",
  restore(context) {
    const name = declaredValue(context.state, hostname_key);
    if (name !== null) setHostname(name, context);
    const failed: string[] = [];
    for (const { key } of context.state.list(sysctl_prefix)) {
      const value = declaredValue(context.state, key);
      const parameter = key.slice(sysctl_prefix.length);
      try {
        if (value !== null && readSysctl(parameter) !== value) writeSysctl(parameter, value);
      } catch (error) {
        failed.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (failed.length > 0) throw new Error(failed.join("; "));
  },
};
