/** Runs the sensors on their timers and makes events of what they tell. */

import type { Event, Severity } from "../../../contracts/event.ts";
import type { SystemStatus } from "../../../contracts/init.ts";
import type { MetricSample } from "../../../contracts/memory/operational.ts";
import type { Ids } from "../ids.ts";
import { DiskSensor } from "./disk.ts";
import { MemorySensor, readMemory } from "./memory.ts";
import { MetricsSampler } from "./metrics.ts";

const memory_interval_ms = 1000;
const disk_interval_ms = 5000;
const metrics_interval_ms = 10_000;
const severity_of_level: readonly Severity[] = ["info", "notice", "warning", "error"];

export interface SensorPorts {
  readonly ids: Ids;
  readonly boot_ms: () => number;
  readonly status: () => Promise<SystemStatus>;
  readonly emit: (event: Event) => void;
  /** Figures that are no events: how things are, whether or not they changed. */
  readonly measured: (sample: MetricSample) => void;
}

/** @returns says which sensors see nothing at the moment, and why */
export function runSensors({ ids, boot_ms, status, emit, measured }: SensorPorts): () => readonly string[] {
  const memory = new MemorySensor();
  const disk = new DiskSensor();
  const sampler = new MetricsSampler();
  let data: SystemStatus["data"] | null = null;
  const base = (severity: Severity) => ({ id: ids.event(), time_ms: Date.now(), boot_ms: boot_ms(), source: "reactive", severity });

  const blind = new Map<string, string>();

  const lookAtMemory = (): void => {
    const sample = readMemory();
    if (sample === null) blind.set("memory", "the memory sensor is blind: /proc/meminfo cannot be read");
    else blind.delete("memory");
    const level = sample === null ? null : memory.take(sample, performance.now());
    if (sample !== null && level !== null) {
      emit({ ...base(severity_of_level[level] ?? "error"), kind: "memory.pressure", facts: sample });
    }
  };
  const lookAtDisk = async (): Promise<void> => {
    try {
      ({ data } = await status());
      const facts = disk.take(data);
      if (facts !== null) emit({ ...base(facts.used_ratio >= 0.85 ? "warning" : "info"), kind: "disk.usage", facts });
      blind.delete("disk");
    } catch (error) {
      blind.set("disk", `the disk sensor is blind: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const measure = (): void => measured({ boot_ms: boot_ms(), values: sampler.sample(performance.now(), data) });
  lookAtMemory();
  void lookAtDisk();
  measure();
  setInterval(measure, metrics_interval_ms);
  setInterval(lookAtMemory, memory_interval_ms);
  setInterval(() => void lookAtDisk(), disk_interval_ms);
  return () => [...blind.values()];
}
