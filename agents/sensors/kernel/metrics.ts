/**
 * The machine in figures, for operational memory: CPU, memory, pressure, disks, network (proc(5)). Rates are those since
 * the sample before, so the first sample has none. What this kernel does not say is left out.
 */

import type { SystemStatus } from "../../../contracts/init.ts";
import { readText } from "./read-text.ts";

type Values = Record<string, number>;
type Data = Pick<SystemStatus["data"], "used_bytes" | "size_bytes" | "inodes_used" | "inodes">;

/** Counters that only grow, by the name of the rate that is made of them. */
type Counters = ReadonlyMap<string, number>;

/** Documentation/admin-guide/iostats.rst: sectors are of 512 bytes. */
const sector_bytes = 512;
/** Whole disks: partitions and what is made of disks would count twice. */
const disk = /^(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

interface Before {
  readonly at_ms: number;
  readonly cpu: readonly number[];
  readonly counters: Counters;
}

export class MetricsSampler {
  #before: Before | null = null;

  /** @param now_ms a clock that does not step @param data the data partition as PID 1 sees it, when it is known */
  sample(now_ms: number, data: Data | null, proc = "/proc"): Values {
    const cpu = cpuTicks(readText(`${proc}/stat`));
    const counters = new Map([...diskCounters(readText(`${proc}/diskstats`)), ...networkCounters(readText(`${proc}/1/net/dev`))]);
    const before = this.#before;
    this.#before = { at_ms: now_ms, cpu, counters };
    return {
      ...load(readText(`${proc}/loadavg`)),
      ...memory(readText(`${proc}/meminfo`)),
      ...pressure(proc),
      ...(data === null ? {} : room(data)),
      ...(before === null ? {} : { ...cpuShares(before.cpu, cpu), ...rates(before, counters, now_ms) }),
    };
  }
}

/** Ticks since boot: user nice system idle iowait irq softirq steal. */
function cpuTicks(stat: string): number[] {
  return /^cpu +(.*)$/m.exec(stat)?.[1]?.split(" ").map(Number) ?? [];
}

function cpuShares(before: readonly number[], now: readonly number[]): Values {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = now.map(
    (ticks, at) => ticks - (before[at] ?? 0),
  );
  const all = user + nice + system + idle + iowait + irq + softirq + steal;
  if (all <= 0) return {};
  return {
    "cpu.busy_ratio": (all - idle - iowait) / all,
    "cpu.system_ratio": (system + irq + softirq) / all,
    "cpu.iowait_ratio": Math.max(0, iowait) / all,
    "cpu.steal_ratio": steal / all,
  };
}

function load(text: string): Values {
  const [one, , , tasks = ""] = text.split(" ");
  const [running, all] = tasks.split("/");
  return numbers({ "cpu.load1": one, "tasks.running": running, "tasks.all": all });
}

function memory(meminfo: string): Values {
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1] ?? Number.NaN) * 1024;
  const total = bytes("MemTotal");
  return numbers({
    "memory.available_bytes": bytes("MemAvailable"),
    "memory.used_ratio": 1 - bytes("MemAvailable") / total,
    "memory.dirty_bytes": bytes("Dirty"),
    "memory.swap_used_bytes": bytes("SwapTotal") - bytes("SwapFree"),
  });
}

/** Documentation/accounting/psi.rst: percent of the last ten seconds in which some, or all, had to wait. */
function pressure(proc: string): Values {
  const found: Values = {};
  for (const what of ["cpu", "memory", "io"]) {
    for (const [, who, percent] of readText(`${proc}/pressure/${what}`).matchAll(/^(some|full) avg10=([0-9.]+)/gm)) {
      if (what !== "cpu" || who === "some") found[`pressure.${what}_${who}_avg10`] = Number(percent);
    }
  }
  return found;
}

function room({ used_bytes, size_bytes, inodes_used, inodes }: Data): Values {
  if (size_bytes <= 0) return {};
  return {
    "data.used_ratio": Math.min(1, used_bytes / size_bytes),
    "data.free_bytes": Math.max(0, size_bytes - used_bytes),
    "data.inodes_used_ratio": inodes > 0 ? Math.min(1, inodes_used / inodes) : 0,
  };
}

function diskCounters(diskstats: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of diskstats.split("\n")) {
    const [, , name = "", reads, , read_sectors, , writes, , written_sectors, , , busy_ms] = line.trim().split(/\s+/);
    if (!disk.test(name)) continue;
    add(found, "disk.reads_per_s", reads);
    add(found, "disk.writes_per_s", writes);
    add(found, "disk.read_bytes_per_s", read_sectors, sector_bytes);
    add(found, "disk.written_bytes_per_s", written_sectors, sector_bytes);
    // milliseconds of a thousand: the share of time in which a disk was busy, added up over the disks
    add(found, "disk.busy_ratio", busy_ms, 1e-3);
  }
  return found;
}

/** Of PID 1's namespace: the tier has a network namespace of its own, in which there is nothing. */
function networkCounters(dev: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, name, fields = ""] of dev.matchAll(/^\s*([^\s:]+):(.*)$/gm)) {
    if (name === "lo") continue;
    const [received, , receive_errors, receive_drops, , , , , sent, , send_errors, send_drops] = fields.trim().split(/\s+/);
    add(found, "net.received_bytes_per_s", received);
    add(found, "net.sent_bytes_per_s", sent);
    for (const errors of [receive_errors, send_errors]) add(found, "net.errors_per_s", errors);
    for (const drops of [receive_drops, send_drops]) add(found, "net.drops_per_s", drops);
  }
  return found;
}

function add(sums: Map<string, number>, name: string, text: string | undefined, each = 1): void {
  const value = Number(text);
  if (text !== undefined && Number.isFinite(value)) sums.set(name, (sums.get(name) ?? 0) + value * each);
}

/** A counter that went back belongs to something that was taken out: it has no rate this time. */
function rates(before: Before, counters: Counters, now_ms: number): Values {
  const seconds = (now_ms - before.at_ms) / 1000;
  const found: Values = {};
  if (seconds <= 0) return found;
  for (const [name, value] of counters) {
    const earlier = before.counters.get(name);
    if (earlier !== undefined && value >= earlier) found[name] = (value - earlier) / seconds;
  }
  return found;
}

/** Those that are numbers. */
function numbers(values: Readonly<Record<string, string | number | undefined>>): Values {
  const found: Values = {};
  for (const [name, value] of Object.entries(values)) {
    const one = Number(value);
    if (value !== undefined && value !== "" && Number.isFinite(one)) found[name] = one;
  }
  return found;
}
