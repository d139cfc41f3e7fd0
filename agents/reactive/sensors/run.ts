/** Runs the sensors on their timers and makes events of what they tell. */

import type { Event, Severity } from "../../../contracts/event.ts";
import type { SystemStatus } from "../../../contracts/init.ts";
import type { Ids } from "../ids.ts";
import { DiskSensor } from "./disk.ts";
import { MemorySensor, readMemory } from "./memory.ts";

const memory_interval_ms = 1000;
const disk_interval_ms = 5000;
const severity_of_level: readonly Severity[] = ["info", "notice", "warning", "error"];

export interface SensorPorts {
  readonly ids: Ids;
  readonly boot_ms: () => number;
  readonly status: () => Promise<SystemStatus>;
  readonly emit: (event: Event) => void;
}

export function runSensors({ ids, boot_ms, status, emit }: SensorPorts): void {
  const memory = new MemorySensor();
  const disk = new DiskSensor();
  const base = (severity: Severity) => ({ id: ids.event(), time_ms: Date.now(), boot_ms: boot_ms(), source: "reactive", severity });

  const lookAtMemory = (): void => {
    const sample = readMemory();
    const level = sample === null ? null : memory.take(sample, performance.now());
    if (sample !== null && level !== null) {
      emit({ ...base(severity_of_level[level] ?? "error"), kind: "memory.pressure", facts: sample });
    }
  };
  const lookAtDisk = async (): Promise<void> => {
    const facts = disk.take((await status()).data);
    if (facts !== null) emit({ ...base(facts.used_ratio >= 0.85 ? "warning" : "info"), kind: "disk.usage", facts });
  };
  lookAtMemory();
  void lookAtDisk().catch(() => {});
  setInterval(lookAtMemory, memory_interval_ms);
  setInterval(() => void lookAtDisk().catch(() => {}), disk_interval_ms);
}
