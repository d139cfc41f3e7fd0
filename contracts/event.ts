/**
 * Typed events: what was noticed, by whom, when. Text that came from outside the system (a kernel line, a log line, a
 * lease) is in `untrusted` and nowhere else: it is shown and matched, never obeyed.
 */

import { z } from "zod";
import { ExitReason, ServiceName, ServiceState } from "./service.ts";

export const Severity = z.enum(["debug", "info", "notice", "warning", "error", "critical"]);
export type Severity = z.infer<typeof Severity>;

export const Untrusted = z.string().max(4096);

/** `<boot>-<source>-<sequence>`: unique over all boots; `boot` is 8 hexadecimal digits of the kernel's boot id. */
export const EventId = z
  .string()
  .regex(/^[0-9a-f]{8}-[a-z-]{1,31}-[0-9]{1,15}$/, "an id is like 0badcafe-note-12, as searching, timelines and events show it");

const facts = {
  "boot.phase": z.strictObject({
    phase: z.string(),
    outcome: z.enum(["done", "degraded", "failed"]),
    took_ms: z.number(),
    detail: z.string(),
  }),
  "boot.ready": z.strictObject({ what: z.enum(["console", "all"]), at_ms: z.number() }),
  "system.maintenance": z.strictObject({ detail: z.string() }),
  "system.shutdown": z.strictObject({ action: z.string(), phase: z.string(), detail: z.string() }),
  /** A config that was plugged in while the system ran, and what will come of it. */
  "config.found": z.strictObject({
    where: z.string(),
    outcome: z.enum(["next-boot", "same", "unused", "refused"]),
    detail: z.string(),
  }),
  "service.state": z.strictObject({ service: ServiceName, from: ServiceState, to: ServiceState, reason: z.string() }),
  "service.exited": z.strictObject({ service: ServiceName, pid: z.int(), exit: ExitReason, uptime_ms: z.number() }),
  "service.hung": z.strictObject({ service: ServiceName, pid: z.int(), silent_ms: z.number() }),
  "device.added": z.strictObject({ subsystem: z.string(), path: z.string(), name: z.string() }),
  "device.removed": z.strictObject({ subsystem: z.string(), path: z.string(), name: z.string() }),
  "net.link": z.strictObject({ interface: z.string(), index: z.int(), up: z.boolean(), carrier: z.boolean() }),
  "net.address": z.strictObject({ interface: z.string(), address: z.string(), added: z.boolean() }),
  "net.lease": z.strictObject({ interface: z.string(), reason: z.string(), address: z.string().nullable() }),
  "power.button": z.strictObject({ key: z.enum(["power", "ctrl-alt-del"]) }),
  "clock.step": z.strictObject({ by_ms: z.number() }),
  /** After a step no time server keeps the clock that one had kept: `service` is to put it right. */
  "clock.lost": z.strictObject({ by_ms: z.number(), service: ServiceName }),
  /** A time server keeps the clock from now on, or no longer. `error_ms`: how far off it may be at most. */
  "clock.sync": z.strictObject({ synchronised: z.boolean(), error_ms: z.number() }),
  "watchdog.near": z.strictObject({ left_ms: z.number() }),
  "kernel.log": z.strictObject({ priority: z.int().min(0).max(7), sequence: z.int(), at_us: z.number() }),
  "kernel.oom-kill": z.strictObject({ pid: z.int(), killed: Untrusted }),
  "memory.pressure": z.strictObject({ some_avg10: z.number(), full_avg10: z.number(), available_bytes: z.number() }),
  "disk.usage": z.strictObject({ mount: z.string(), used_ratio: z.number(), free_bytes: z.number(), inodes_used_ratio: z.number() }),
  /**
   * An alarm (alarm.ts) of a subject was raised or cleared. `value` (null: the subject is gone) and `limit` are of its figure;
   * `stood_ms`: how long it stood when it is cleared. A subject that has no name of ours (a file, a process) is named in
   * `untrusted`.
   */
  "alarm.changed": z.strictObject({
    alarm: z.string().max(40),
    subject: z.string().max(200),
    raised: z.boolean(),
    value: z.number().nullable(),
    limit: z.number(),
    stood_ms: z.number(),
    detail: z.string().max(300),
  }),
} as const;

/** The shape of each kind's facts. */
export const event_facts = facts;
export type EventKind = keyof typeof facts;
export const event_kinds = Object.keys(facts) as EventKind[];

function eventOf<K extends EventKind>(kind: K) {
  return z.strictObject({
    id: EventId,
    /** Wall clock, milliseconds since 1970. May step; order by `boot_ms` within one boot. */
    time_ms: z.number(),
    /** CLOCK_BOOTTIME, milliseconds. */
    boot_ms: z.number(),
    source: z.string().max(31),
    severity: Severity,
    kind: z.literal(kind),
    facts: facts[kind],
    untrusted: Untrusted.optional(),
  });
}

export const Event = z.discriminatedUnion("kind", [
  eventOf("boot.phase"),
  eventOf("boot.ready"),
  eventOf("system.maintenance"),
  eventOf("system.shutdown"),
  eventOf("config.found"),
  eventOf("service.state"),
  eventOf("service.exited"),
  eventOf("service.hung"),
  eventOf("device.added"),
  eventOf("device.removed"),
  eventOf("net.link"),
  eventOf("net.address"),
  eventOf("net.lease"),
  eventOf("power.button"),
  eventOf("clock.step"),
  eventOf("clock.lost"),
  eventOf("clock.sync"),
  eventOf("watchdog.near"),
  eventOf("kernel.log"),
  eventOf("kernel.oom-kill"),
  eventOf("memory.pressure"),
  eventOf("disk.usage"),
  eventOf("alarm.changed"),
]);
export type Event = z.infer<typeof Event>;
export type EventOf<K extends EventKind> = Extract<Event, { kind: K }>;
export type Facts<K extends EventKind> = EventOf<K>["facts"];

/** A line that a service wrote to its stdout or stderr, or a line of the kernel log. */
export const LogRecord = z.lazy(() =>
  z.strictObject({
    seq: z.int().min(0),
    time_ms: z.number(),
    boot_ms: z.number(),
    service: z.string().max(31),
    stream: z.enum(["stdout", "stderr", "kernel"]),
    level: Severity,
    message: z.string().max(8192),
    /** The remaining fields of a line that was JSON. */
    fields: z.record(z.string(), z.unknown()).optional(),
  }),
);
export type LogRecord = z.infer<typeof LogRecord>;
