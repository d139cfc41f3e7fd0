/** `aiosctl status`: the worst first. */

import type { SystemStatus } from "../../../contracts/init.ts";
import type { ServiceStatus } from "../../../contracts/service.ts";
import { plain } from "../text/plain.ts";
import { type Cell, gauge, pairs } from "../text/table.ts";
import { ago, bytes, percent, span } from "../text/units.ts";
import { system_colours } from "./colours.ts";
import type { View } from "./view.ts";

/** Below it, inodes are nobody's concern. */
const inodes_told_ratio = 0.8;

export function statusView(status: SystemStatus, services: readonly ServiceStatus[], { paint }: View): string[] {
  const head = `${paint(system_colours[status.state], `● ${status.state}`)}  ${paint("bold", plain(status.hostname))}  up ${span(status.uptime_ms)}`;
  const rows: [string, Cell][] = [
    ["services", servicesCell(services)],
    ["version", { text: `aiOS ${plain(status.version)}, kernel ${plain(status.kernel)}, ${status.mode}` }],
    ["config", { text: plain([`from ${status.config.from}`, ...(status.config.next === null ? [] : [status.config.next])].join("; ")) }],
    ["data", dataCell(status.data)],
    ["watchdog", watchdogCell(status.watchdog)],
    ["time", { text: `${new Date(status.time_ms).toISOString().replace("T", " ").slice(0, 19)} UTC, ${clockWords(status.clock)}` }],
    ["machine", { text: plain(status.machine_id) }],
    ["boot", { text: plain(status.boot_id) }],
  ];
  return [head, ...degradationLines(status, paint), ...unwellLines(services, paint), "", ...pairs(rows, paint)];
}

/** Services that run and say that something is wrong with them. */
export function unwell(services: readonly ServiceStatus[]): ServiceStatus[] {
  return services.filter(({ state, health }) => state === "ready" && health !== null && health.status !== "ok");
}

function unwellLines(services: readonly ServiceStatus[], paint: View["paint"]): string[] {
  return unwell(services).flatMap(({ name, health }) => [
    "",
    `${paint("yellow", `▲ ${name} is ${health?.status ?? "unwell"}`)}  ${plain(health?.detail ?? "")}`,
  ]);
}

function degradationLines(status: SystemStatus, paint: View["paint"]): string[] {
  return status.degradations.flatMap(({ what, detail, todo }) => [
    "",
    `${paint("yellow", `▲ ${plain(what)}`)}  ${plain(detail)}`,
    ...(todo === "" ? [] : [`  ${paint("dim", "do")} ${plain(todo)}`]),
  ]);
}

function servicesCell(services: readonly ServiceStatus[]): Cell {
  const ready = services.filter((one) => one.state === "ready").length;
  const others = services.filter((one) => one.state !== "ready").map((one) => `${one.name} ${one.state}`);
  const text = `${ready} of ${services.length} ready${others.length === 0 ? "" : `; ${others.join(", ")}`}`;
  return { text, colour: others.length === 0 ? "green" : "yellow" };
}

function dataCell(data: SystemStatus["data"]): Cell {
  const where = data.persistent ? plain(data.mount) : `${plain(data.mount)}, in memory only`;
  const ratio = data.size_bytes > 0 ? data.used_bytes / data.size_bytes : 0;
  const full = data.size_bytes > 0 ? `${gauge(ratio, 10)} ${percent(ratio)} of ${bytes(data.size_bytes)}` : "size unknown";
  const inodes_ratio = data.inodes > 0 ? data.inodes_used / data.inodes : 0;
  const inodes = inodes_ratio < inodes_told_ratio ? "" : `, ${percent(inodes_ratio)} of its inodes in use`;
  const detail = data.detail === "" ? "" : `, ${plain(data.detail)}`;
  const well = data.persistent && ratio < 0.9 && inodes_ratio < 0.9;
  return { text: `${full}${inodes}  ${where}${detail}`, ...(well ? {} : { colour: "yellow" }) };
}

function clockWords({ synchronised, error_ms, servers, from }: SystemStatus["clock"]): string {
  if (synchronised) return error_ms === null ? "synchronised" : `synchronised to within ${span(error_ms)}`;
  const asked = servers.length === 0 ? "no time server is known" : `no answer yet from ${servers.map(plain).join(", ")}`;
  return `${plain(from)}; ${asked}`;
}

function watchdogCell(watchdog: SystemStatus["watchdog"]): Cell {
  if (watchdog.device === null) return { text: "none" };
  const petted = watchdog.petted_ms_ago === null ? "never petted" : `petted ${ago(watchdog.petted_ms_ago)}`;
  return { text: `${plain(watchdog.device)}, bites after ${watchdog.timeout_s ?? "?"} s, ${petted}` };
}
