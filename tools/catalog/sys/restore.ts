/** What was declared of the system's settings, made so again. */

import type { Context } from "../../context.ts";
import { hostnameDeclared, setHostname } from "./hostname.ts";
import { declaredValue } from "./shared/settings.ts";
import { readSysctl, sysctl_prefix, writeSysctl } from "./sysctl.ts";

/** @throws with what failed */
export function restoreSettings(context: Context): void {
  const name = hostnameDeclared(context);
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
}
