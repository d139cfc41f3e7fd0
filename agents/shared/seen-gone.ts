/**
 * How long a try has to be watched at least: what is put right is seen when the sensor looks the next time (agents/sensors/list.ts), and
 * the alarm is cleared when it has been so for its time. Who watches for less takes back what has helped.
 */

const minute_ms = 60_000;

/** By alarm, where it is more than a minute: until the next look, and the alarm's own time. */
const least_ms: Readonly<Record<string, number>> = {
  "service-crash-loop": 1.5 * minute_ms,
  ...sensor(1, [
    ...["runaway-process", "undeclared-listener", "wrong-listener", "declared-port-closed", "network-drift", "setting-drift"],
    ...["service-files", "service-tasks", "service-memory", "deleted-file-open", "log-novel"],
  ]),
  ...sensor(5, ["userland-broken", "service-outdated", "service-left-behind"]),
  "log-burst": 6.5 * minute_ms,
  "failed-logins": 11 * minute_ms,
  ...sensor(15, ["drive-failing", "drive-worn", "setuid-file", "package-vulnerable", "certificate-ends"]),
};

/** @returns milliseconds, in earnest (`pace` 1); 0 where a minute is enough, which whoever proposes something gives it anyway */
export function seenGoneMs(alarm: string): number {
  return least_ms[alarm] ?? 0;
}

/** @param minutes between two looks; the look itself may wait its turn */
function sensor(minutes: number, alarms: readonly string[]): Record<string, number> {
  return Object.fromEntries(alarms.map((alarm) => [alarm, (minutes + 0.5) * minute_ms]));
}
