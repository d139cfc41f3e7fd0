/** Runs the sensors on their timers. What they tell becomes events, figures for memory, and alarms. */

import type { Alarm } from "../../contracts/alarm.ts";
import type { Event, EventOf, Severity } from "../../contracts/event.ts";
import type { SystemStatus } from "../../contracts/init.ts";
import type { MetricSample } from "../../contracts/memory/operational.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import type { AskTool } from "../shared/ask-tool.ts";
import type { Ids } from "../shared/ids.ts";
import { Alarms } from "./alarms/alarms.ts";
import type { Sensor } from "./figure.ts";
import { DiskSensor } from "./kernel/disk.ts";
import { MemorySensor, readMemory } from "./kernel/memory.ts";
import { sensorsOf } from "./list.ts";

const memory_interval_ms = 1000;
const disk_interval_ms = 5000;
/** What looks every quarter of an hour does not stay blind for that long. */
const blind_retry_ms = 30_000;
const severity_of_level: readonly Severity[] = ["info", "notice", "warning", "error"];

export interface SensorPorts {
  readonly ids: Ids;
  readonly boot_ms: () => number;
  readonly status: () => Promise<SystemStatus>;
  readonly services: () => Promise<readonly ServiceStatus[]>;
  readonly ask: AskTool;
  readonly alarms: readonly Alarm[];
  /** Times of sensors and alarms are divided by it: 1 in earnest, more in tests and demonstrations. */
  readonly pace: number;
  readonly emit: (event: Event) => void;
  /** Figures that are no events: how things are, whether or not they changed. */
  readonly measured: (sample: MetricSample) => void;
}

export interface Sensing {
  /** Which sensors see nothing at the moment, and why. */
  blind(): readonly string[];
  /** What sensors say of how they see, which is no fault. */
  remarks(): readonly string[];
  /** Alarms that stand, each as `name of subject`. */
  standing(): readonly string[];
  /** Takes over what an earlier process of this boot raised and did not clear. */
  adopt(event: EventOf<"alarm.changed">): void;
}

function sooner(alarm: Alarm, pace: number): Alarm {
  return { ...alarm, for_ms: alarm.for_ms / pace, clear_ms: alarm.clear_ms / pace };
}

export function runSensors(ports: SensorPorts): Sensing {
  const { ids, boot_ms, status, emit } = ports;
  const memory = new MemorySensor();
  const disk = new DiskSensor();
  const base = (severity: Severity) => ({ id: ids.memory(), time_ms: Date.now(), boot_ms: boot_ms(), source: "reactive", severity });
  const alarms = new Alarms(
    ports.alarms.map((alarm) => sooner(alarm, ports.pace)),
    ({ severity, untrusted, facts }) =>
      emit({ ...base(severity), kind: "alarm.changed", facts, ...(untrusted === undefined ? {} : { untrusted }) }),
  );
  const blind = new Map<string, string>();
  const remarks = new Map<string, string>();
  const sees = (name: string, error: unknown): void => {
    if (error === null) blind.delete(name);
    else blind.set(name, `the ${name} sensor is blind: ${error instanceof Error ? error.message : String(error)}`);
  };

  const lookAtMemory = (): void => {
    const sample = readMemory();
    sees("memory", sample === null ? "/proc/meminfo cannot be read" : null);
    const level = sample === null ? null : memory.take(sample, performance.now());
    if (sample !== null && level !== null) {
      emit({ ...base(severity_of_level[level] ?? "error"), kind: "memory.pressure", facts: sample });
    }
  };
  const lookAtDisk = async (): Promise<void> => {
    try {
      const facts = disk.take((await status()).data);
      if (facts !== null) emit({ ...base(facts.used_ratio >= 0.85 ? "warning" : "info"), kind: "disk.usage", facts });
      sees("disk", null);
    } catch (error) {
      sees("disk", error);
    }
  };
  const look = async (sensor: Sensor): Promise<void> => {
    let next_ms = sensor.every_ms;
    try {
      const figures = await sensor.look(performance.now());
      if (figures !== null) alarms.take(sensor.figures, figures, performance.now());
      sees(sensor.name, null);
      const remark = sensor.says?.() ?? null;
      if (remark === null) remarks.delete(sensor.name);
      else remarks.set(sensor.name, remark);
    } catch (error) {
      sees(sensor.name, error);
      next_ms = Math.min(next_ms, blind_retry_ms / ports.pace);
    }
    // One after the other: an answer that takes longer than the interval does not make a queue.
    setTimeout(() => void look(sensor), next_ms);
  };
  lookAtMemory();
  void lookAtDisk();
  setInterval(lookAtMemory, memory_interval_ms);
  setInterval(() => void lookAtDisk(), disk_interval_ms);
  for (const sensor of sensorsOf(ports)) setTimeout(() => void look(sensor), sensor.first_after_ms);
  return {
    blind: () => [...blind.values()],
    remarks: () => [...remarks.values()],
    standing: () => alarms.standing,
    adopt: ({ facts, boot_ms: raised_ms }) => alarms.adopt(facts.alarm, facts.subject, performance.now() - (boot_ms() - raised_ms)),
  };
}
