/** What PID 1 and its children say to each other on `/run/aios/init/<service>/sock`. */

import { z } from "zod";
import { DefinedService, PackagesConfig, SensorsConfig } from "./config.ts";
import { Event, LogRecord, Severity } from "./event.ts";
import { StrategicSettings } from "./model/provider.ts";
import { method, Nothing } from "./rpc.ts";
import { type CoreService, Health, ServiceName, ServiceStatus } from "./service.ts";

export const PhaseRecord = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    /** Milliseconds on the boot clock (CLOCK_BOOTTIME). */
    start_ms: z.number(),
    end_ms: z.number().nullable(),
    outcome: z.enum(["running", "done", "degraded", "failed"]),
    detail: z.string(),
  }),
);
export type PhaseRecord = z.infer<typeof PhaseRecord>;

export const BootTimeline = z.lazy(() =>
  z.strictObject({
    boot_id: z.string(),
    /** Marks on the boot clock, milliseconds: `firmware` (before it, negative, when known), `kernel` (0), `stage0`, `init`, `console-ready`, `all-ready`. */
    marks: z.record(z.string(), z.number()),
    phases: z.array(PhaseRecord),
  }),
);
export type BootTimeline = z.infer<typeof BootTimeline>;

/** Bring-up as a whole: what does not work, in words, worst first. Empty when all is well. */
export const Degradation = z.lazy(() => z.strictObject({ what: z.string(), detail: z.string(), todo: z.string() }));
export type Degradation = z.infer<typeof Degradation>;

export const SystemStatus = z.lazy(() =>
  z.strictObject({
    state: z.enum(["booting", "running", "degraded", "maintenance", "stopping"]),
    hostname: z.string(),
    machine_id: z.string(),
    boot_id: z.string(),
    version: z.string(),
    kernel: z.string(),
    /** Container mode has no devices, watchdog or power of its own. */
    mode: z.enum(["machine", "container"]),
    uptime_ms: z.number(),
    time_ms: z.number(),
    degradations: z.array(Degradation),
    /** `from`: where the time came from at boot. `error_ms`: how far off it may be at most, while a time server keeps it. */
    clock: z.strictObject({ from: z.string(), servers: z.array(z.string()), synchronised: z.boolean(), error_ms: z.number().nullable() }),
    /** Where the machine config came from, and what will come of one that was plugged in since. */
    config: z.strictObject({ from: z.string(), next: z.string().nullable() }),
    data: z.strictObject({
      persistent: z.boolean(),
      mount: z.string(),
      detail: z.string(),
      used_bytes: z.number(),
      size_bytes: z.number(),
      /** Both 0 where the file system has no fixed number of inodes. */
      inodes_used: z.number(),
      inodes: z.number(),
    }),
    watchdog: z.strictObject({ device: z.string().nullable(), timeout_s: z.number().nullable(), petted_ms_ago: z.number().nullable() }),
  }),
);
export type SystemStatus = z.infer<typeof SystemStatus>;

const text = z.string().max(200);
export const Hardware = z.lazy(() =>
  z.strictObject({
    cpu: z.strictObject({ model: text, logical: z.int(), cores: z.int(), sockets: z.int(), flags: z.array(text) }),
    memory: z.strictObject({ total_bytes: z.number(), swap_bytes: z.number() }),
    numa: z.array(z.strictObject({ node: z.int(), cpus: text, memory_bytes: z.number() })),
    disks: z.array(z.strictObject({ name: text, model: text, size_bytes: z.number(), removable: z.boolean(), rotational: z.boolean() })),
    nics: z.array(
      z.strictObject({ name: text, mac: text, driver: text, mtu: z.int(), carrier: z.boolean(), speed_mbps: z.number().nullable() }),
    ),
    gpus: z.array(z.strictObject({ address: text, vendor: text, device: text, driver: text })),
    sensors: z.array(z.strictObject({ chip: text, label: text, kind: text, value: z.number(), unit: text })),
    tpm: z.strictObject({ present: z.boolean(), version: text }),
    firmware: z.strictObject({ kind: z.enum(["uefi", "bios", "devicetree", "unknown"]), vendor: text, version: text, board: text }),
    virtualisation: text,
  }),
);
export type Hardware = z.infer<typeof Hardware>;

export const ProcessInfo = z.lazy(() =>
  z.strictObject({
    pid: z.int(),
    ppid: z.int(),
    uid: z.int(),
    state: z.string().max(1),
    /** The service in whose cgroup it is, when in one. */
    service: z.string().nullable(),
    name: text,
    /** The command line, capped; written by the process itself. */
    untrusted_cmdline: z.string().max(500),
    threads: z.int(),
    rss_bytes: z.number(),
    /** Proportional set (proc(5) smaps_rollup), when readable. */
    pss_bytes: z.number().nullable(),
    cpu_ms: z.number(),
  }),
);
export type ProcessInfo = z.infer<typeof ProcessInfo>;

/** Why someone asks for a change: kept with the event that the change causes. */
const Why = z.lazy(() => z.strictObject({ who: z.string().max(64), reason: z.string().min(1).max(500) }));

export const ServiceChange = z.lazy(() => z.strictObject({ service: ServiceName, why: Why }));
export const ShutdownAction = z.enum(["poweroff", "reboot", "kexec"]);
export type ShutdownAction = z.infer<typeof ShutdownAction>;

/** Requests that a child makes of PID 1. */
export const init_methods = {
  "system.status": method(() => ({ params: Nothing, result: SystemStatus })),
  "system.boot": method(() => ({ params: Nothing, result: BootTimeline })),
  "system.hardware": method(() => ({ params: Nothing, result: Hardware })),
  "system.processes": method(() => ({ params: Nothing, result: z.array(ProcessInfo) })),
  "system.shutdown": method(() => ({
    params: z.strictObject({ action: ShutdownAction, why: Why }),
    result: z.strictObject({ accepted: z.literal(true) }),
  })),
  "system.reclaim": method(() => ({ params: z.strictObject({ why: Why }), result: z.strictObject({ freed_bytes: z.number() }) })),
  "service.list": method(() => ({ params: Nothing, result: z.array(ServiceStatus) })),
  "service.start": method(() => ({ params: ServiceChange, result: ServiceStatus })),
  "service.stop": method(() => ({ params: ServiceChange, result: ServiceStatus })),
  /** Answers when the service is ready again, or has failed to become so. Cuts a waiting backoff short. */
  "service.restart": method(() => ({ params: ServiceChange, result: ServiceStatus })),
  /**
   * Takes a service in, or gives one that was defined before another definition, which counts from its next start. It is not
   * started. Refused for services of the system and of the machine config.
   */
  "service.define": method(() => ({
    params: z.strictObject({ service: ServiceName, definition: DefinedService, why: Why }),
    result: ServiceStatus,
  })),
  /** Stops a service that was defined and forgets it. Refused while others come after it. */
  "service.remove": method(() => ({ params: ServiceChange, result: z.strictObject({ removed: z.literal(true) }) })),
  /** Services that were defined since boot. */
  "service.defined": method(() => ({
    params: Nothing,
    result: z.array(z.strictObject({ service: ServiceName, definition: DefinedService })),
  })),
  /** `packages` of the machine config. */
  "config.packages": method(() => ({ params: Nothing, result: PackagesConfig })),
  /** `sensors` of the machine config. */
  "config.sensors": method(() => ({ params: Nothing, result: SensorsConfig })),
  /** `tiers.strategic` of the machine config, keys and all: for that tier alone. */
  "config.strategic": method(() => ({ params: Nothing, result: StrategicSettings })),
  /** From then on the connection carries `event` notifications; first those still held after `after` (an event id). */
  "events.subscribe": method(() => ({ params: z.strictObject({ after: z.string().nullable() }), result: Nothing })),
  /** From then on the connection carries `log` notifications; first up to `backlog` held records. */
  "logs.subscribe": method(() => ({
    params: z.strictObject({ service: z.string().nullable(), backlog: z.int().min(0).max(5000) }),
    result: z.strictObject({ subscription: z.int() }),
  })),
  "logs.unsubscribe": method(() => ({ params: z.strictObject({ subscription: z.int() }), result: Nothing })),
} as const;

/** Notifications from a child to PID 1. */
export const init_notifications = {
  /** It is doing its job from now on. */
  ready: z.strictObject({ detail: z.string().max(200) }),
  /** Its main loop turns. Missing for the heartbeat limit means that it hangs. */
  heartbeat: z.strictObject({ health: Health }),
  status: z.strictObject({ text: z.string().max(200) }),
} as const;

/** Notifications from PID 1 to a child. */
export const child_notifications = {
  event: Event,
  log: z.strictObject({ subscription: z.int(), record: LogRecord }),
} as const;

/** Requests that PID 1 makes of a child. */
export const child_methods = {
  health: method(() => ({ params: Nothing, result: Health })),
} as const;

export type InitMethod = keyof typeof init_methods;

const read: InitMethod[] = ["system.status", "service.list", "events.subscribe"];

const machine: InitMethod[] = ["system.hardware", "system.processes", "system.shutdown", "logs.subscribe", "logs.unsubscribe"];
const services: InitMethod[] = ["service.start", "service.stop", "service.restart", "service.define", "service.remove", "service.defined"];

/** What not even the operator may ask of PID 1. */
const not_for_people: readonly InitMethod[] = ["service.define", "service.remove", "config.strategic"];

/** Which methods each caller may use; a method that is not listed is refused with `not_permitted`. */
export const init_permissions: Readonly<Record<CoreService, readonly InitMethod[]>> = {
  console: (Object.keys(init_methods) as InitMethod[]).filter((method) => !not_for_people.includes(method)),
  reactive: [...read, "service.start", "service.restart", "system.reclaim", "config.sensors"],
  memory: ["system.status", "events.subscribe", "logs.subscribe", "logs.unsubscribe"],
  broker: [...read, ...machine, ...services, "config.packages"],
  operational: ["system.status", "config.sensors"],
  tactical: ["system.status", "config.sensors"],
  strategic: ["system.status", "config.sensors", "config.strategic"],
};
export { Severity };
