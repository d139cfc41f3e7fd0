/** Load, memory and pressure from /proc (proc(5), Documentation/accounting/psi.rst); each service's use from PID 1. */

import { readFileSync } from "node:fs";
import type { z } from "zod";
import type { Metrics as MetricsSchema } from "../../contracts/console.ts";
import type { ProcessInfo } from "../../contracts/init.ts";

type Metrics = z.infer<typeof MetricsSchema>;
type Pressure = NonNullable<Metrics["pressure"]>;

export function readMetrics(processes: readonly ProcessInfo[], proc = "/proc"): Metrics {
  const meminfo = readFileSync(`${proc}/meminfo`, "latin1");
  const total_bytes = kilobytes(meminfo, "MemTotal");
  const available_bytes = kilobytes(meminfo, "MemAvailable");
  const load = readFileSync(`${proc}/loadavg`, "latin1").split(" ");
  return {
    time_ms: Date.now(),
    load: [number(load[0]), number(load[1]), number(load[2])],
    memory: { total_bytes, available_bytes, used_bytes: total_bytes - available_bytes },
    pressure: readPressure(proc),
    processes: byService(processes),
  };
}

function readPressure(proc: string): Pressure | null {
  try {
    const cpu = readFileSync(`${proc}/pressure/cpu`, "latin1");
    const memory = readFileSync(`${proc}/pressure/memory`, "latin1");
    const io = readFileSync(`${proc}/pressure/io`, "latin1");
    return {
      cpu_some: avg10(cpu, "some"),
      memory_some: avg10(memory, "some"),
      memory_full: avg10(memory, "full"),
      io_some: avg10(io, "some"),
      io_full: avg10(io, "full"),
    };
  } catch {
    return null;
  }
}

/** One entry a service: all its processes together. PSS only when it is known of each. */
function byService(processes: readonly ProcessInfo[]): Metrics["processes"] {
  const sums = new Map<string, Metrics["processes"][number]>();
  for (const one of processes) {
    const service = one.pid === 1 ? "init" : one.service;
    if (service === null) continue;
    const sum = sums.get(service);
    sums.set(service, {
      service,
      rss_bytes: (sum?.rss_bytes ?? 0) + one.rss_bytes,
      pss_bytes: sum?.pss_bytes === null || one.pss_bytes === null ? null : (sum?.pss_bytes ?? 0) + one.pss_bytes,
      cpu_ms: (sum?.cpu_ms ?? 0) + one.cpu_ms,
    });
  }
  return [...sums.values()].sort((a, b) => b.rss_bytes - a.rss_bytes);
}

function kilobytes(text: string, key: string): number {
  return number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024;
}

function avg10(text: string, line: string): number {
  return number(new RegExp(`^${line} avg10=([0-9.]+)`, "m").exec(text)?.[1]);
}

function number(text: string | undefined): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
}
