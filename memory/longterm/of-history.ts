/**
 * Events and decisions in words, as memories. Text from outside (`untrusted`, the name of a killed process) stays in
 * quotes behind words of ours that say so, and marks the memory; it never stands as if we had said it.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import type { Memory, MemoryOutcome } from "../../contracts/memory/record.ts";
import type { ExitReason } from "../../contracts/service.ts";

/** All but what the row of the event or decision itself holds. */
export type OfHistory = Omit<Memory, "body">;

/** Of a text (contracts/memory/record.ts). */
const text_chars_max = 8192;
/** Of one value of the facts. */
const detail_chars_max = 1000;

export function memoryOfEvent(event: Event): OfHistory {
  const outside = outsideOf(event);
  const said = outside === null ? "" : ` From outside: ${JSON.stringify(outside)}`;
  return {
    id: event.id,
    time_ms: event.time_ms,
    boot_ms: event.boot_ms,
    kind: "event",
    source: event.source,
    severity: event.severity,
    tier: null,
    tool: null,
    service: serviceOf(event),
    outcome: null,
    text: `${wordsOf(event)}.${said}`.slice(0, text_chars_max),
    taint: taintOf(event),
    links: [],
  };
}

const outcomes: Readonly<Record<Decision["outcome"]["result"], MemoryOutcome>> = {
  pending: "pending",
  done: "worked",
  refused: "refused",
  failed: "failed",
  suppressed: "no-effect",
  overridden: "undone",
};

/** The outcome is no part of the words: they stay the same when it becomes known. */
export function memoryOfDecision(decision: Decision): OfHistory {
  const { action, trigger } = decision;
  const service = action.do === "restart" ? action.service : serviceOf(trigger);
  return {
    id: decision.id,
    time_ms: decision.time_ms,
    boot_ms: decision.boot_ms,
    kind: "decision",
    source: decision.tier,
    severity: trigger.severity,
    tier: decision.tier,
    tool: null,
    service: service === null ? null : service.slice(0, 100),
    outcome: outcomes[decision.outcome.result],
    text: `${decision.tier} decided to ${actionWords(action)} by rule ${decision.rule}: ${decision.reason}`.slice(0, text_chars_max),
    taint: taintOf(trigger),
    links: [
      { relation: "caused-by", to: trigger.id },
      ...decision.based_on.slice(0, 63).map((to) => ({ relation: "based-on" as const, to })),
    ],
  };
}

function actionWords(action: Decision["action"]): string {
  if (action.do === "restart") return `restart service ${action.service}`;
  if (action.do === "call") return `call ${action.calls.map(({ tool }) => tool).join(", ")}`;
  return action.do === "log" ? "only note it" : "reclaim caches";
}

function serviceOf(event: Event): string | null {
  return "service" in event.facts ? event.facts.service : null;
}

function outsideOf(event: Event): string | null {
  const killed = event.kind === "kernel.oom-kill" ? event.facts.killed : null;
  if (event.untrusted === undefined) return killed;
  return killed === null || event.untrusted.includes(killed) ? event.untrusted : `${killed}: ${event.untrusted}`;
}

function taintOf(event: Event): string[] {
  return outsideOf(event) === null ? [] : [`event:${event.kind}`];
}

/** A sentence without its full stop. Figures are rounded, so that what happens often is one text. */
function wordsOf(event: Event): string {
  switch (event.kind) {
    case "boot.phase":
      return `boot phase ${event.facts.phase} ${event.facts.outcome}${because(event.facts.detail)}`;
    case "boot.ready":
      return `the system is ready: ${event.facts.what} after ${duration(event.facts.at_ms)}`;
    case "system.maintenance":
      return `maintenance mode${because(event.facts.detail)}`;
    case "system.shutdown":
      return `shutdown (${event.facts.action}), phase ${event.facts.phase}${because(event.facts.detail)}`;
    case "config.found":
      return `a configuration was found at ${event.facts.where}: ${event.facts.outcome}${because(event.facts.detail)}`;
    case "service.state":
      return `service ${event.facts.service} went from ${event.facts.from} to ${event.facts.to}${because(event.facts.reason)}`;
    case "service.exited":
      return `service ${event.facts.service} exited: ${exitWords(event.facts.exit)} after ${duration(event.facts.uptime_ms)}`;
    case "service.hung":
      return `service ${event.facts.service} hung: silent for ${duration(event.facts.silent_ms)}`;
    case "device.added":
      return `device added: ${event.facts.subsystem} ${event.facts.name} (${event.facts.path})`;
    case "device.removed":
      return `device removed: ${event.facts.subsystem} ${event.facts.name} (${event.facts.path})`;
    case "net.link":
      return `network interface ${event.facts.interface} is ${event.facts.up ? "up" : "down"}, ${event.facts.carrier ? "with" : "without"} a link`;
    case "net.address":
      return `address ${event.facts.address} ${event.facts.added ? "added to" : "removed from"} network interface ${event.facts.interface}`;
    case "net.lease":
      return `DHCP lease on ${event.facts.interface}, ${event.facts.reason}: address ${event.facts.address ?? "none"}`;
    case "power.button":
      return `the ${event.facts.key} key was pressed`;
    case "clock.step":
      return `the clock was set ${event.facts.by_ms < 0 ? "back" : "forward"} by ${duration(Math.abs(event.facts.by_ms))}`;
    case "clock.lost":
      return `after the clock was set by ${duration(Math.abs(event.facts.by_ms))} no time server keeps it; ${event.facts.service} is to put it right`;
    case "clock.sync":
      return event.facts.synchronised ? "the clock is synchronised with a time server" : "the clock is no longer synchronised";
    case "watchdog.near":
      return `the watchdog was near its end: ${duration(event.facts.left_ms)} left`;
    case "kernel.log":
      return `line in the kernel log, priority ${event.facts.priority}`;
    case "kernel.oom-kill":
      return "the kernel was out of memory and killed a process";
    case "memory.pressure":
      return `memory pressure: some ${event.facts.some_avg10.toFixed(0)} %, full ${event.facts.full_avg10.toFixed(0)} %, ${size(event.facts.available_bytes)} available`;
    case "disk.usage":
      return `disk usage of ${event.facts.mount}: ${(event.facts.used_ratio * 100).toFixed(0)} % used, ${size(event.facts.free_bytes)} free, ${(event.facts.inodes_used_ratio * 100).toFixed(0)} % of inodes used`;
    case "alarm.changed":
      return `alarm ${event.facts.alarm} of ${event.facts.subject} ${event.facts.raised ? "was raised" : `was cleared after ${duration(event.facts.stood_ms)}`}${because(event.facts.detail)}`;
  }
}

function because(detail: string): string {
  return detail === "" ? "" : `: ${detail.slice(0, detail_chars_max)}`;
}

function exitWords(exit: ExitReason): string {
  const how = exit.signal === null ? `status ${exit.status ?? "unknown"}` : `killed by ${exit.signal}`;
  return exit.cause === null ? how : `${how} (${exit.cause})`;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

function duration(ms: number): string {
  const unit = units.find(([, length]) => ms >= length);
  return unit === undefined ? `${Math.round(ms)} ms` : `${Math.round(ms / unit[1])} ${unit[0]}`;
}

function size(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(0)} GiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
