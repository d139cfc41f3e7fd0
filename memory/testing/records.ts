/** Events and decisions for tests. */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import type { Memory } from "../../contracts/memory/record.ts";

export const boot = "0badcafe";

export function exitedEvent(sequence: number, service = "console", boot_ms = sequence * 1000): Event {
  return {
    id: `${boot}-init-${sequence}`,
    time_ms: 1_700_000_000_000 + boot_ms,
    boot_ms,
    source: "init",
    severity: "error",
    kind: "service.exited",
    facts: { service, pid: 100 + sequence, exit: { status: null, signal: "SIGKILL", cause: null }, uptime_ms: 5000 },
  };
}

export function stepEvent(sequence: number, boot_ms = sequence * 1000): Event {
  return {
    id: `${boot}-init-${sequence}`,
    time_ms: 1_700_000_000_000 + boot_ms,
    boot_ms,
    source: "init",
    severity: "notice",
    kind: "clock.step",
    facts: { by_ms: 4000 },
  };
}

export function decisionOn(trigger: Event, sequence: number, result: Decision["outcome"]["result"] = "pending"): Decision {
  return {
    id: `${boot}-d-reactive-${sequence}`,
    time_ms: trigger.time_ms + 1,
    boot_ms: trigger.boot_ms + 1,
    tier: "reactive",
    trigger,
    rule: "service-dead",
    based_on: [],
    reason: "service console ended by SIGKILL",
    action: { do: "restart", service: "console" },
    took_us: 12,
    outcome: { result, detail: "", after_ms: null },
  };
}

/** Its number says all of it but the outcome. */
export function noteMemory(number: number, outcome: Memory["outcome"]): Memory {
  return {
    id: `${boot}-note-${number}`,
    time_ms: 1_700_000_000_000 + number * 1000,
    boot_ms: number * 1000,
    kind: "note",
    source: "reactive",
    severity: "notice",
    tier: "reactive",
    tool: null,
    service: `unit-${number % 9}`,
    outcome,
    text: `note ${number}: nginx on unit-${number % 9} stopped answering after the update, ${"and again ".repeat(number % 5)}`.trim(),
    body: { number, detail: "x".repeat(number % 400) },
    taint: number % 3 === 0 ? ["log:nginx"] : [],
    links: [],
  };
}

/** With some 4 KB of body: what fills a disk. */
export function largeNote(number: number): Memory {
  const line = (n: number): string => `${number}.${n} worker ${(number * 7919 + n * 104_729) % 65_521} of unit-${number % 9} answered`;
  return { ...noteMemory(number, null), body: { number, log: Array.from({ length: 80 }, (_, n) => line(n)).join("\n") } };
}
