/** Events, actions and exits in words. All text from outside is made harmless here. */

import type { Action } from "../../../contracts/decision.ts";
import type { Event } from "../../../contracts/event.ts";
import type { ExitReason } from "../../../contracts/service.ts";
import { plain } from "../text/plain.ts";
import { bytes, percent, span } from "../text/units.ts";

export function eventWords(event: Event): string {
  const words = factWords(event);
  return plain(event.untrusted === undefined ? words : `${words} «${event.untrusted}»`);
}

function factWords(event: Event): string {
  switch (event.kind) {
    case "boot.phase":
      return `${event.facts.phase} ${event.facts.outcome} in ${span(event.facts.took_ms)}${colon(event.facts.detail)}`;
    case "boot.ready":
      return `${event.facts.what} ready ${span(event.facts.at_ms)} after the kernel began`;
    case "system.maintenance":
      return event.facts.detail;
    case "system.shutdown":
      return `${event.facts.action}, ${event.facts.phase}${colon(event.facts.detail)}`;
    case "config.found":
      return event.facts.detail;
    case "service.state":
      return `${event.facts.service} ${event.facts.from} → ${event.facts.to}${colon(event.facts.reason)}`;
    case "service.exited":
      return `${event.facts.service} (pid ${event.facts.pid}) ended after ${span(event.facts.uptime_ms)}: ${exitWords(event.facts.exit)}`;
    case "service.hung":
      return `${event.facts.service} (pid ${event.facts.pid}) has been silent for ${span(event.facts.silent_ms)}`;
    case "device.added":
    case "device.removed":
      return `${event.facts.subsystem} ${event.facts.name} ${event.kind === "device.added" ? "added" : "removed"}`;
    case "net.link":
      return `${event.facts.interface} ${event.facts.up ? "up" : "down"}, ${event.facts.carrier ? "carrier" : "no carrier"}`;
    case "net.address":
      return `${event.facts.interface} ${event.facts.added ? "has" : "lost"} ${event.facts.address}`;
    case "net.lease":
      return `${event.facts.interface} ${event.facts.reason}${colon(event.facts.address ?? "")}`;
    case "power.button":
      return event.facts.key === "power" ? "the power button was pressed" : "Ctrl-Alt-Del was pressed";
    case "clock.step":
      return `the clock stepped by ${event.facts.by_ms < 0 ? "-" : "+"}${span(Math.abs(event.facts.by_ms))}`;
    case "clock.lost":
      return `after a step of ${span(Math.abs(event.facts.by_ms))} no time server keeps the clock; ${event.facts.service} is to put it right`;
    case "clock.sync":
      return event.facts.synchronised
        ? `the clock is synchronised, to within ${span(event.facts.error_ms)}`
        : "the clock is not synchronised any more";
    case "watchdog.near":
      return `the watchdog bites in ${span(event.facts.left_ms)}`;
    case "kernel.log":
      return "kernel:";
    case "kernel.oom-kill":
      return `out of memory: killed pid ${event.facts.pid} (${event.facts.killed})`;
    case "memory.pressure":
      return `memory stalls ${event.facts.some_avg10} % some, ${event.facts.full_avg10} % full; ${bytes(event.facts.available_bytes)} available`;
    case "disk.usage":
      return `${event.facts.mount} is ${percent(event.facts.used_ratio)} full, ${bytes(event.facts.free_bytes)} free, ${percent(event.facts.inodes_used_ratio)} of its inodes in use`;
    case "alarm.changed":
      return `${event.facts.alarm} (${event.facts.subject}) ${event.facts.raised ? "raised" : `cleared after ${span(event.facts.stood_ms)}`}${colon(event.facts.detail)}`;
  }
}

export function actionWords(action: Action): string {
  switch (action.do) {
    case "log":
      return "note it";
    case "restart":
      return `restart ${plain(action.service)}`;
    case "reclaim-caches":
      return "drop caches";
    case "call":
      return `call ${plain(action.calls.map(({ tool }) => tool).join(", "))}`;
  }
}

export function exitWords(exit: ExitReason): string {
  const how = exit.signal !== null ? `killed by ${exit.signal}` : `exit status ${exit.status ?? "unknown"}`;
  return exit.cause === null ? how : `${how} (${exit.cause})`;
}

function colon(detail: string): string {
  return detail === "" ? "" : `: ${detail}`;
}
