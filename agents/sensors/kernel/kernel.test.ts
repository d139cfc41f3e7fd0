import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskSensor } from "./disk.ts";
import { MemorySensor, readMemory } from "./memory.ts";

test("memory as the kernel writes it, with and without PSI", () => {
  const proc = mkdtempSync(join(tmpdir(), "proc-"));
  expect(readMemory(proc)).toBeNull();
  writeFileSync(join(proc, "meminfo"), "MemTotal:         245000 kB\nMemFree:           9000 kB\nMemAvailable:      20000 kB\n");
  expect(readMemory(proc)).toEqual({ some_avg10: 0, full_avg10: 0, available_bytes: 20_480_000 });
  mkdirSync(join(proc, "pressure"));
  const psi = "some avg10=22.50 avg60=3.00 avg300=1.00 total=1\nfull avg10=1.25 avg60=0.00 avg300=0.00 total=1\n";
  writeFileSync(join(proc, "pressure", "memory"), psi);
  expect(readMemory(proc)).toMatchObject({ some_avg10: 22.5, full_avg10: 1.25 });
  expect(readMemory()?.available_bytes).toBeGreaterThan(0);
});

test("memory: worse is told at once, better after five samples, a lasting shortage twice a minute", () => {
  const sensor = new MemorySensor();
  const told: [number, number][] = [];
  const series = [0, 25, 0, 25, ...Array<number>(66).fill(25), ...Array<number>(10).fill(0)];
  series.forEach((some_avg10, second) => {
    const level = sensor.take({ some_avg10, full_avg10: 0, available_bytes: 1e9 }, second * 1000);
    if (level !== null) told.push([second, level]);
  });
  expect(told).toEqual([
    [1, 2],
    [31, 2],
    [61, 2],
    [74, 0],
  ]);
});

test("memory: little available counts although nobody waits", () => {
  expect(new MemorySensor().take({ some_avg10: 0, full_avg10: 0, available_bytes: 20e6 }, 0)).toBe(2);
});

test("disk: told first, then at each hundredth of change; a disk of unknown size is not told", () => {
  const sensor = new DiskSensor();
  const take = (used_bytes: number, size_bytes = 1000) =>
    sensor.take({ persistent: true, mount: "/d", detail: "", used_bytes, size_bytes, inodes_used: 0, inodes: 0 })?.used_ratio ?? null;
  expect([take(0, 0), take(500), take(505), take(511), take(2000)]).toEqual([null, 0.5, null, 0.511, 1]);
});

test("disk: inodes are told as room is; a file system that has no number of them counts as empty", () => {
  const sensor = new DiskSensor();
  const take = (inodes_used: number, inodes: number) =>
    sensor.take({ persistent: true, mount: "/d", detail: "", used_bytes: 1, size_bytes: 1000, inodes_used, inodes })?.inodes_used_ratio ??
    null;
  expect([take(100, 1000), take(105, 1000), take(950, 1000), take(0, 0)]).toEqual([0.1, null, 0.95, 0]);
});
