import { readFileSync } from "node:fs";
import type { Context } from "../../context.ts";
import { type Drift, declaredTool } from "../shared/declared.ts";
import { hostnameDeclared } from "./hostname.ts";
import { restoreSettings } from "./restore.ts";
import { declaredValue } from "./shared/settings.ts";
import { readSysctl, sysctl_prefix } from "./sysctl.ts";

export const declared = declaredTool({
  name: "sys.declared",
  title: "The settings as declared",
  covers: "host name and kernel parameters",
  resources: [
    { kind: "setting", id: "hostname" },
    { kind: "setting", id: "sysctl" },
  ],
  drift: async (context) => driftOf(context),
  restore: async (context) => restoreSettings(context),
});

function driftOf(context: Context): Drift[] {
  const { state } = context;
  const wanted = new Map<string, string | null>([["hostname", hostnameDeclared(context)]]);
  for (const { key } of state.list(sysctl_prefix)) wanted.set(key, declaredValue(state, key));
  return [...wanted].flatMap(([what, value]) => {
    const now = value === null ? null : nowOf(what);
    return now === value ? [] : [{ what, detail: `it is "${now}", not "${value}"` }];
  });
}

function nowOf(what: string): string {
  if (what === "hostname") return readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
  return readSysctl(what.slice(sysctl_prefix.length));
}
