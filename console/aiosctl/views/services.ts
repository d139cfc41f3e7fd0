/** `aiosctl services`: what runs, since when, and why it is in its state. */

import type { ServiceStatus } from "../../../contracts/service.ts";
import { plain } from "../text/plain.ts";
import { type Cell, type Column, table } from "../text/table.ts";
import { bytes, span } from "../text/units.ts";
import { service_colours } from "./colours.ts";
import type { View } from "./view.ts";
import { exitWords } from "./words.ts";

const columns: readonly Column[] = [
  { title: "SERVICE" },
  { title: "STATE" },
  { title: "FOR", right: true },
  { title: "PID", right: true },
  { title: "RESTARTS", right: true },
  { title: "READY IN", right: true },
  { title: "MEMORY", right: true },
  { title: "HEALTH", width_max: 28 },
  { title: "REASON" },
];

/** @param uptime_ms the boot clock of the system */
export function servicesView(services: readonly ServiceStatus[], uptime_ms: number, { paint, width }: View): string[] {
  if (services.length === 0) return ["no services"];
  return table(
    columns,
    services.map((service) => row(service, uptime_ms)),
    { paint, width },
  );
}

/** One service in full, after it was changed. */
export function serviceLine(service: ServiceStatus, { paint }: View): string {
  const pid = service.pid === null ? "" : ` (pid ${service.pid})`;
  return `${paint(service_colours[service.state], "●")} ${service.name} is ${service.state}${pid}: ${plain(service.reason)}`;
}

export function healthCell(service: ServiceStatus): Cell {
  if (service.health === null) return { text: service.status_text === null ? "–" : plain(service.status_text), colour: "grey" };
  const { status, detail } = service.health;
  const text = detail === "" ? status : plain(detail);
  return { text, colour: status === "ok" ? "green" : status === "degraded" ? "yellow" : "red" };
}

export function reasonText(service: ServiceStatus): string {
  const exit = service.state !== "ready" && service.last_exit !== null ? `; last: ${exitWords(service.last_exit)}` : "";
  return plain(service.reason + exit);
}

function row(service: ServiceStatus, uptime_ms: number): Cell[] {
  return [
    { text: service.name, colour: "bold" },
    { text: service.state, colour: service_colours[service.state] },
    { text: span(uptime_ms - service.since_ms) },
    { text: service.pid === null ? "–" : String(service.pid) },
    { text: String(service.restarts), ...(service.restarts > 0 ? { colour: "yellow" as const } : {}) },
    { text: service.ready_after_ms === null ? "–" : span(service.ready_after_ms) },
    { text: service.health === null ? "–" : bytes(service.health.resources.rss_bytes) },
    healthCell(service),
    // what it said as it became ready is an old story where it tells how it is now
    { text: service.state === "ready" && service.health !== null ? "" : reasonText(service), colour: "dim" },
  ];
}
