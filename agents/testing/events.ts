/** Events for tests. */

import type { Event, EventKind, Facts } from "../../contracts/event.ts";

let sequence = 0;

export function eventOf<K extends EventKind>(kind: K, facts: Facts<K>, boot_ms = 1000): Extract<Event, { kind: K }> {
  sequence += 1;
  const event = { id: `0badcafe-init-${sequence}`, time_ms: 1.7e12 + boot_ms, boot_ms, source: "init", severity: "info", kind, facts };
  return event as unknown as Extract<Event, { kind: K }>;
}

export function exited(service: string, cause: string | null = null, boot_ms = 1000): Event {
  return eventOf("service.exited", { service, pid: 100, exit: { status: null, signal: "SIGKILL", cause }, uptime_ms: 5000 }, boot_ms);
}
