import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricSample } from "../../../contracts/memory/operational.ts";
import { MetricsSampler } from "./metrics.ts";

const data = { used_bytes: 30, size_bytes: 100, inodes_used: 1, inodes: 4 };

function write(proc: string, files: Readonly<Record<string, string>>): void {
  for (const folder of ["pressure", "1/net"]) mkdirSync(join(proc, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(proc, name), text);
}

const first = {
  stat: "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1\n",
  loadavg: "0.50 0.10 0.05 2/140 9999\n",
  meminfo: "MemTotal: 1000 kB\nMemAvailable: 250 kB\nDirty: 8 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
  "pressure/cpu": "some avg10=1.50 avg60=0 avg300=0 total=1\nfull avg10=0.00 avg60=0 avg300=0 total=1\n",
  "pressure/io": "some avg10=2.00 avg60=0 avg300=0 total=1\nfull avg10=1.00 avg60=0 avg300=0 total=1\n",
  diskstats: " 254 0 vda 10 0 100 0 20 0 200 0 0 1000 0 0\n 254 1 vda1 9 9 9 9 9 9 9 9 9 9 9 9\n",
  "1/net/dev": "Inter-| Receive\n face |bytes\n  lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\neth0:1000 5 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n",
};

test("figures as the kernel writes them; rates from the second sample on", () => {
  const proc = mkdtempSync(join(tmpdir(), "proc-"));
  const sampler = new MetricsSampler();
  write(proc, first);
  const calm = {
    "cpu.load1": 0.5,
    "tasks.running": 2,
    "tasks.all": 140,
    "memory.available_bytes": 256_000,
    "memory.used_ratio": 0.75,
    "memory.dirty_bytes": 8192,
    "memory.swap_used_bytes": 0,
    "pressure.cpu_some_avg10": 1.5,
    "pressure.io_some_avg10": 2,
    "pressure.io_full_avg10": 1,
    "data.used_ratio": 0.3,
    "data.free_bytes": 70,
    "data.inodes_used_ratio": 0.25,
  };
  expect(sampler.sample(0, data, proc)).toEqual(calm);
  write(proc, {
    stat: "cpu  150 0 110 720 120 0 0 0 0 0\n",
    diskstats: " 254 0 vda 30 0 300 0 20 0 220 0 0 6000 0 0\n",
    "1/net/dev": "eth0:11000 5 0 20 0 0 0 0 500 5 10 0 0 0 0 0\n",
  });
  expect(sampler.sample(10_000, data, proc)).toEqual({
    ...calm,
    "cpu.busy_ratio": 0.6,
    "cpu.system_ratio": 0.1,
    "cpu.iowait_ratio": 0.2,
    "cpu.steal_ratio": 0,
    "disk.reads_per_s": 2,
    "disk.writes_per_s": 0,
    "disk.read_bytes_per_s": 10_240,
    "disk.written_bytes_per_s": 1024,
    "disk.busy_ratio": 0.5,
    "net.received_bytes_per_s": 1000,
    "net.sent_bytes_per_s": 0,
    "net.errors_per_s": 1,
    "net.drops_per_s": 2,
  });
});

test("a counter that went back has no rate; a kernel that says nothing gives no figures", () => {
  const proc = mkdtempSync(join(tmpdir(), "proc-"));
  const sampler = new MetricsSampler();
  expect(sampler.sample(0, null, proc)).toEqual({});
  write(proc, first);
  sampler.sample(10_000, null, proc);
  write(proc, { "1/net/dev": "eth0:10 5 0 0 0 0 0 0 900 5 0 0 0 0 0 0\n" });
  const values = sampler.sample(20_000, null, proc);
  expect(values).not.toHaveProperty("net.received_bytes_per_s");
  expect(values["net.sent_bytes_per_s"]).toBe(40);
});

test("this machine's own figures fit the contract", () => {
  const sampler = new MetricsSampler();
  sampler.sample(0, data);
  const values = sampler.sample(1000, data);
  expect(Object.keys(values).length).toBeGreaterThan(10);
  expect(MetricSample.parse({ boot_ms: 1, values })).toEqual({ boot_ms: 1, values });
});
