/** A believable system, for tests and for looking at the client. */

import type { Decision } from "../../contracts/decision.ts";
import { Event, type EventKind, type EventOf, type LogRecord } from "../../contracts/event.ts";
import type { BootTimeline, Hardware, ProcessInfo, SystemStatus } from "../../contracts/init.ts";
import { core_services, type ServiceStatus } from "../../contracts/service.ts";

const boot_prefix = "0badcafe";
/** 2026-11-22 12:00:00 UTC */
export const start_time_ms = 1_795_348_800_000;

export function event<K extends EventKind>(
  sequence: number,
  kind: K,
  facts: EventOf<K>["facts"],
  more: Partial<Omit<Event, "kind" | "facts">> = {},
): Event {
  const source = more.source ?? "init";
  return Event.parse({
    id: `${boot_prefix}-${source}-${sequence}`,
    time_ms: start_time_ms + sequence * 1000,
    boot_ms: 4000 + sequence * 1000,
    source,
    severity: "notice",
    kind,
    facts,
    ...more,
  });
}

export const events: readonly Event[] = [
  event(1, "boot.phase", { phase: "data", outcome: "done", took_ms: 210, detail: "" }, { severity: "info" }),
  event(2, "boot.ready", { what: "console", at_ms: 4100 }, { severity: "info" }),
  event(
    3,
    "service.exited",
    { service: "memory", pid: 102, exit: { status: null, signal: "SIGKILL", cause: null }, uptime_ms: 65_000 },
    { severity: "error" },
  ),
  event(4, "service.state", { service: "memory", from: "ready", to: "backoff", reason: "killed by SIGKILL" }, { severity: "warning" }),
  event(5, "kernel.log", { priority: 4, sequence: 9, at_us: 1 }, { severity: "warning", untrusted: "eth0: \u001b[2Jodd \u202ename" }),
];

export const decision: Decision = {
  id: `${boot_prefix}-d-reactive-1`,
  time_ms: start_time_ms + 3100,
  boot_ms: 7100,
  tier: "reactive",
  trigger: events[2] ?? event(3, "boot.ready", { what: "all", at_ms: 1 }),
  rule: "service-dead",
  based_on: [],
  reason: "memory ended by SIGKILL after 65 s and is wanted",
  action: { do: "restart", service: "memory" },
  took_us: 84,
  outcome: { result: "done", detail: "ready again after 210 ms", after_ms: 240 },
};

export const status: SystemStatus = {
  state: "running",
  hostname: "aios",
  machine_id: "4f0c5a5e1b7e4d0f9a54c0c52b7f1a9d",
  boot_id: `${boot_prefix}-0000-4000-8000-000000000000`,
  version: "0.1.0",
  kernel: "6.12.57",
  mode: "machine",
  uptime_ms: 185_000,
  time_ms: start_time_ms + 181_000,
  degradations: [],
  clock: { from: "by the battery clock", servers: ["192.0.2.123"], synchronised: true, error_ms: 12.5 },
  config: { from: '"aios.yaml" on "/dev/vda1"', next: null },
  data: {
    persistent: true,
    mount: "/var/lib/aios",
    detail: "",
    used_bytes: 61 * 1024 ** 2,
    size_bytes: 1024 ** 3,
    inodes_used: 120,
    inodes: 65_536,
  },
  watchdog: { device: "/dev/watchdog0", timeout_s: 30, petted_ms_ago: 800 },
};

export const boot: BootTimeline = {
  boot_id: status.boot_id,
  marks: { kernel: 0, stage0: 3412, init: 3580, "console-ready": 4102, "all-ready": 4870 },
  phases: [
    { name: "file-systems", start_ms: 3600, end_ms: 3650, outcome: "done", detail: "" },
    { name: "console", start_ms: 3650, end_ms: 4102, outcome: "done", detail: "" },
    { name: "data", start_ms: 3660, end_ms: 4200, outcome: "done", detail: "" },
    { name: "network", start_ms: 4200, end_ms: 4600, outcome: "degraded", detail: "no device" },
    { name: "services", start_ms: 4210, end_ms: 4870, outcome: "done", detail: "" },
  ],
};

const details: Readonly<Record<string, string>> = {
  console: "listening",
  memory: "5 events held",
  broker: "no tools registered",
  reactive: "8 rules",
  operational: "no model loaded",
  tactical: "no model loaded",
  strategic: "no model loaded",
};

export const services: readonly ServiceStatus[] = core_services.map((name, index) => ({
  name,
  state: "ready",
  pid: 101 + index,
  since_ms: 4100 + index * 90,
  restarts: name === "memory" ? 1 : 0,
  ready_after_ms: 110 + index * 13,
  last_exit: null,
  status_text: null,
  health: {
    status: "ok",
    detail: details[name] ?? "",
    facts: {},
    resources: { rss_bytes: (38 + index) * 1024 ** 2, cpu_ms: 210 + index, fds: 12 },
  },
  reason: "it said ready",
}));

export const processes: readonly ProcessInfo[] = [
  process_(1, "aios", null, "aios init"),
  ...services.map((one) => process_(one.pid ?? 0, "aios", one.name, `/usr/bin/aios ${one.name}`)),
];

function process_(pid: number, name: string, service: string | null, untrusted_cmdline: string): ProcessInfo {
  const mib = 1024 ** 2;
  return {
    pid,
    ppid: pid === 1 ? 0 : 1,
    uid: pid === 1 ? 0 : 700 + pid,
    state: "S",
    service,
    name,
    untrusted_cmdline,
    threads: 6,
    rss_bytes: 40 * mib,
    pss_bytes: service === "strategic" ? null : 17 * mib,
    cpu_ms: 420,
  };
}

export const hardware: Hardware = {
  cpu: { model: "QEMU TCG CPU version 2.5+", logical: 2, cores: 2, sockets: 1, flags: ["sse2"] },
  memory: { total_bytes: 512 * 1024 ** 2, swap_bytes: 0 },
  numa: [{ node: 0, cpus: "0-1", memory_bytes: 512 * 1024 ** 2 }],
  disks: [{ name: "vda", model: "virtio", size_bytes: 4 * 1024 ** 3, removable: false, rotational: false }],
  nics: [{ name: "eth0", mac: "52:54:00:12:34:56", driver: "virtio_net", mtu: 1500, carrier: true, speed_mbps: null }],
  gpus: [],
  sensors: [],
  tpm: { present: false, version: "" },
  firmware: { kind: "uefi", vendor: "EDK II", version: "2025.02", board: "Standard PC (Q35 + ICH9, 2009)" },
  virtualisation: "qemu",
};

export function logRecord(seq: number, service: string, message: string, level: LogRecord["level"] = "info"): LogRecord {
  return { seq, time_ms: start_time_ms + seq * 100, boot_ms: 4000 + seq * 100, service, stream: "stdout", level, message };
}
