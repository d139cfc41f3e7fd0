/** Which runbook an alarm names: of the alarms in the image, as they are. */

import { bundled_alarms } from "../sensors/alarms/index.ts";

const by_alarm = new Map(
  Object.values(bundled_alarms).flatMap((alarm) => {
    if (typeof alarm !== "object" || alarm === null || !("name" in alarm) || !("runbook" in alarm)) return [];
    return typeof alarm.name === "string" && typeof alarm.runbook === "string" ? [[alarm.name, alarm.runbook] as const] : [];
  }),
);

export function runbookOf(alarm: string): string | null {
  return by_alarm.get(alarm) ?? null;
}
