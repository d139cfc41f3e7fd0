/** The live view as lines: never wider than `columns`, never more than `rows`. Events take what the rest leaves. */

import type { BootTimeline } from "../../../contracts/init.ts";
import type { ServiceStatus } from "../../../contracts/service.ts";
import { cut, pad, plain } from "../text/plain.ts";
import type { Colour, Paint } from "../text/style.ts";
import { gauge } from "../text/table.ts";
import { bytes, clock, percent, span } from "../text/units.ts";
import { outcome_colours, service_colours, severity_colours, system_colours } from "../views/colours.ts";
import { healthCell, reasonText } from "../views/services.ts";
import { actionWords, eventWords } from "../views/words.ts";
import type { Model } from "./model.ts";

interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

type Part = readonly [text: string, colour?: Colour | undefined];

const tiers = ["reactive", "operational", "tactical", "strategic"];
const decisions_min = 2;
const decisions_max = 6;

export function frame(model: Model, { columns, rows }: FrameSize, paint: Paint): string[] {
  const line = (...parts: Part[]): string => fit(parts, columns, paint);
  const uptime_ms = model.status?.uptime_ms ?? 0;
  const isTier = (service: ServiceStatus): boolean => tiers.includes(service.name);
  const top = [
    headLine(model, columns, line),
    ...degradationLines(model, line),
    resourceLine(model, line),
    bootLine(model.boot, line),
    ...section(
      "SERVICES",
      model.services.filter((one) => !isTier(one)),
      uptime_ms,
      columns,
      line,
    ),
    ...section(
      "TIERS",
      tiers.flatMap((name) => model.services.filter((one) => one.name === name)),
      uptime_ms,
      columns,
      line,
    ),
  ].slice(0, Math.max(3, rows - 6));
  const left = rows - top.length - 3;
  const decided = Math.max(1, Math.min(decisions_max, model.decisions.length, Math.max(decisions_min, Math.floor(left / 3))));
  const noticed = Math.max(0, left - decided);
  return [
    ...top,
    rule("DECISIONS", columns, line),
    ...decisionLines(model, decided, line),
    rule("EVENTS", columns, line),
    ...filled(
      model.events.slice(-noticed).map((event) => eventLine(event, line)),
      noticed,
    ),
    footLine(model, columns, line),
  ].slice(0, rows);
}

type Line = (...parts: Part[]) => string;

function headLine({ status, metrics }: Model, columns: number, line: Line): string {
  if (status === null) return line(["aiOS", "bold"], ["  waiting for the system", "dim"]);
  const left: Part[] = [
    [`● ${status.state}`, system_colours[status.state]],
    [`  ${plain(status.hostname)}`, "bold"],
    [`  up ${span(status.uptime_ms)}`],
  ];
  const right = `aiOS ${plain(status.version)}  ${clock(metrics?.time_ms ?? status.time_ms).slice(0, 8)}`;
  const used = left.reduce((sum, [text]) => sum + Bun.stringWidth(text), 0);
  return line(...left, [" ".repeat(Math.max(2, columns - used - Bun.stringWidth(right)))], [right, "dim"]);
}

function degradationLines({ status }: Model, line: Line): string[] {
  return (status?.degradations ?? []).slice(0, 2).map((one) => line([`▲ ${plain(one.what)}`, "yellow"], [`  ${plain(one.detail)}`]));
}

function resourceLine({ metrics }: Model, line: Line): string {
  if (metrics === null) return line(["resources  not known yet", "dim"]);
  const { memory, load, pressure } = metrics;
  const ratio = memory.total_bytes > 0 ? memory.used_bytes / memory.total_bytes : 0;
  const colour: Colour = ratio > 0.9 ? "red" : ratio > 0.75 ? "yellow" : "green";
  const pressed =
    pressure === null
      ? ""
      : `   stall cpu ${Math.round(pressure.cpu_some)} mem ${Math.round(pressure.memory_some)} io ${Math.round(pressure.io_some)} %`;
  return line(
    ["mem ", "dim"],
    [gauge(ratio, 10), colour],
    [` ${percent(ratio)} of ${bytes(memory.total_bytes)}   `],
    ["load ", "dim"],
    [load.map((one) => one.toFixed(2)).join(" ")],
    [pressed],
  );
}

/** Where the time went until the console answered and until all was ready. */
function bootLine(boot: BootTimeline | null, line: Line): string {
  if (boot === null) return line(["boot not known yet", "dim"]);
  const parts: Part[] = [["boot", "dim"]];
  const names = Object.keys(boot.marks).filter((name) => name !== "kernel" && (boot.marks[name] ?? 0) > 0);
  for (const name of names.sort((a, b) => (boot.marks[a] ?? 0) - (boot.marks[b] ?? 0)))
    parts.push(
      [" ▸ ", "dim"],
      [plain(name).replace("-ready", "")],
      [` ${((boot.marks[name] ?? 0) / 1000).toFixed(2)} s`, name === "all-ready" ? "green" : "cyan"],
    );
  const bad = boot.phases.filter((phase) => phase.outcome === "failed" || phase.outcome === "degraded").length;
  if (bad > 0) parts.push([`  ▲ ${bad} not well`, "yellow"]);
  return line(...parts);
}

function section(title: string, services: readonly ServiceStatus[], uptime_ms: number, columns: number, line: Line): string[] {
  return [rule(title, columns, line), ...services.map((service) => serviceLine(service, uptime_ms, line))];
}

function serviceLine(service: ServiceStatus, uptime_ms: number, line: Line): string {
  const colour = service_colours[service.state];
  const health = service.state === "ready" ? healthCell(service) : { text: reasonText(service), colour };
  const used = service.health === null ? "" : bytes(service.health.resources.rss_bytes);
  return line(
    ["● ", colour],
    [pad(cut(service.name, 12), 12), "bold"],
    [` ${pad(service.state, 10)}`, colour],
    [` ${pad(span(uptime_ms - service.since_ms), 11, true)}`],
    [` ${pad(used, 8, true)}`],
    [` ${pad(service.restarts > 0 ? `↻${service.restarts}` : "", 4)}`, "yellow"],
    [` ${health.text}`, health.colour],
  );
}

function decisionLines(model: Model, count: number, line: Line): string[] {
  if (model.decisions.length === 0) return [line(["  none yet: nothing has needed one", "dim"])];
  return model.decisions
    .slice(-count)
    .map((one) =>
      line(
        [`${clock(one.time_ms).slice(0, 8)} `, "dim"],
        [`${pad(one.tier, 11)} `, "bold"],
        [`${pad(one.outcome.result, 10)} `, outcome_colours[one.outcome.result]],
        [plain(`${actionWords(one.action)}: ${one.reason}`)],
      ),
    );
}

function eventLine(event: Model["events"][number], line: Line): string {
  return line(
    [`${clock(event.time_ms).slice(0, 8)} `, "dim"],
    [`${pad(event.severity, 8)} `, severity_colours[event.severity]],
    [eventWords(event)],
  );
}

function footLine(model: Model, columns: number, line: Line): string {
  const keys = "q quit";
  const said = model.trouble ?? "";
  return line([pad(cut(said, columns - keys.length - 2), columns - keys.length), "red"], [keys, "dim"]);
}

function rule(title: string, columns: number, line: Line): string {
  return line(["── ", "grey"], [title, "bold"], [` ${"─".repeat(Math.max(0, columns - title.length - 4))}`, "grey"]);
}

function filled(lines: string[], count: number): string[] {
  return [...lines, ...Array<string>(Math.max(0, count - lines.length)).fill("")];
}

function fit(parts: readonly Part[], columns: number, paint: Paint): string {
  let left = columns;
  let text = "";
  for (const [part, colour] of parts) {
    const fitted = cut(part, left);
    left -= Bun.stringWidth(fitted);
    text += colour === undefined ? fitted : paint(colour, fitted);
  }
  return text;
}
