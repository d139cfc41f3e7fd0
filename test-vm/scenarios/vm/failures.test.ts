/** What is broken or missing from the start: each ends in a system that can be reached and says what is wrong. */

import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../../../tooling/run.ts";
import { breakDataPartition, dataPartition, makeDataDisk } from "../../machine/disks.ts";
import { newFolder } from "../../places.ts";
import { type Machine, type MachineOptions, startMachine } from "../../qemu.ts";
import { allReady } from "../expect.ts";

const patient = { limit_ms: 60_000, every_ms: 200 };

let machine: Machine | null = null;

async function boot(options: Omit<MachineOptions, "boot">): Promise<Machine> {
  machine = await startMachine({ boot: "direct", agent: false, ...options });
  await machine.ready();
  await allReady(machine.console, patient);
  return machine;
}

afterEach(() => machine?.kill());

/** What is said to be degraded, in words. */
async function told(on: Machine, what: RegExp): Promise<string> {
  const { state, degradations } = await on.console.call("status");
  expect(state).toBe("degraded");
  const found = degradations.find((each) => what.test(`${each.what} ${each.detail}`));
  expect(found, JSON.stringify(degradations)).toBeDefined();
  expect(found?.todo.length).toBeGreaterThan(3);
  return found?.detail ?? "";
}

test("a broken config, and no network card", async () => {
  const on = await boot({ config: "hostname: x\nwatchdog:\n  timeout_s: soon\n", nic: false });
  expect(await told(on, /config/)).toMatch(/line 3.*timeout_s|timeout_s.*line 3/);
  expect((await on.console.call("hardware")).nics.filter(({ name }) => name !== "lo")).toEqual([]);
});

test("a broken data partition is left alone for a person to look at", async () => {
  const disk = join(newFolder("broken"), "disk.raw");
  await makeDataDisk(disk);
  const { offset_bytes, size_bytes } = await dataPartition(disk);
  await run(["mke2fs", "-q", "-t", "ext4", "-E", `offset=${offset_bytes}`, disk, `${size_bytes / 1024}k`]);
  await breakDataPartition(disk);
  const on = await boot({ disk });
  await told(on, /data/);
  expect((await on.console.call("status")).data.persistent).toBe(false);
});

test("no data disk at all", async () => {
  const on = await boot({ diskless: true });
  await told(on, /data/);
  expect((await on.console.call("status")).data.persistent).toBe(false);
});

test("a dead clock: the time is not before the image was built", async () => {
  const on = await boot({ rtc: "base=1970-01-01T00:00:10" });
  expect((await on.console.call("status")).time_ms).toBeGreaterThan(Date.parse("2025-01-01"));
});

test("no clock at all", async () => {
  const on = await boot({ append: "initcall_blacklist=cmos_init" });
  expect((await on.console.call("status")).time_ms).toBeGreaterThan(Date.parse("2025-01-01"));
});

test("256 MB of memory", async () => {
  const on = await boot({ memory_mib: 256 });
  const { memory } = await on.console.call("metrics");
  expect(memory.total_bytes).toBeLessThan(256 * 1024 * 1024);
  expect(memory.available_bytes).toBeGreaterThan(8 * 1024 * 1024);
});
