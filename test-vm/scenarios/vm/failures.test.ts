/**
 * What is broken or missing from the start: each ends in a system that can be reached and says what is wrong. Where one does
 * not hide the other, several things are wrong with one machine.
 */

import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { run } from "../../../tooling/run.ts";
import { breakDataPartition, dataPartition, makeDataDisk } from "../../machine/disks.ts";
import { needBuilt, newFolder } from "../../places.ts";
import { type Machine, type MachineOptions, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { serviceStatus } from "../expect.ts";
import { console_only, services_without_tiers, without_tiers } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };

let running: { readonly what: () => unknown; readonly machine: Machine } | null = null;
afterAll(() => running?.machine.kill());

interface Broken extends Omit<MachineOptions, "boot"> {
  /** That are to be ready all the same; all but the thinking tiers where it says nothing. */
  readonly services?: readonly string[];
}

/** The machine of those options: booted by the test that wants it first, ended by the first that wants another. */
async function on(what: () => Promise<Broken>): Promise<Machine> {
  if (running?.what === what) return running.machine;
  await running?.machine.kill();
  const { services = services_without_tiers, ...options } = await what();
  const machine = await startMachine({ boot: "direct", agent: false, config: without_tiers, ...options });
  running = { what, machine };
  await machine.ready();
  await serviceReady(machine, services);
  return machine;
}

function serviceReady(machine: Machine, names: readonly string[]): Promise<unknown> {
  let last = "no answer";
  const ask = async (): Promise<boolean> => {
    const services = await machine.console.call("services");
    last = services.map(({ name, state, reason, restarts }) => `${name} is ${state} (${reason}), ${restarts} restarts`).join("; ");
    return names.every((name) => services.some((service) => service.name === name && service.state === "ready"));
  };
  const explain = (): string => `${last}\n${machine.serial().slice(-3000)}`;
  return waitFor(`${names.join(", ")} to be ready`, ask, { ...patient, explain });
}

const small = async () => ({ memory_mib: 256, config: "hostname: x\nwatchdog:\n  timeout_s: soon\n", nic: false });

async function withBrokenData() {
  const disk = join(newFolder("broken"), "disk.raw");
  await makeDataDisk(disk);
  const { offset_bytes, size_bytes } = await dataPartition(disk);
  await run(["mke2fs", "-q", "-t", "ext4", "-L", "aios-data", "-E", `offset=${offset_bytes}`, disk, `${size_bytes / 1024}k`]);
  await breakDataPartition(disk);
  return { disk, rtc: "base=1970-01-01T00:00:10" };
}

const bare = async () => ({
  config: `${console_only}extra_services: { looping: { argv: [/usr/bin/ip, no-such-object] } }\n`,
  services: ["console"],
  diskless: true,
  append: "initcall_blacklist=cmos_init",
});

/** What is said to be degraded, in words. */
async function told(machine: Machine, what: RegExp): Promise<string> {
  const { state, degradations } = await machine.console.call("status");
  expect(state).toBe("degraded");
  const found = degradations.find((each) => what.test(`${each.what} ${each.detail}`));
  expect(found, JSON.stringify(degradations)).toBeDefined();
  expect(found?.todo.length).toBeGreaterThan(3);
  return found?.detail ?? "";
}

/** Milliseconds since 1970, as the root was built. */
function built_ms(): number {
  const release = join(needBuilt("root_folder"), "usr/lib/aios/release.json");
  return 1000 * z.object({ built_s: z.number() }).parse(JSON.parse(readFileSync(release, "utf8"))).built_s;
}

const limit_ms = 900_000;

test(
  "a broken config, and no network card",
  async () => {
    const machine = await on(small);
    expect(await told(machine, /config/)).toMatch(/line 3.*timeout_s|timeout_s.*line 3/);
    expect((await machine.console.call("hardware")).nics.filter(({ name }) => name !== "lo")).toEqual([]);
    expect(await told(machine, /network/)).toContain("no network device");
  },
  limit_ms,
);

test(
  "256 MB of memory",
  async () => {
    const { memory } = await (await on(small)).console.call("metrics");
    expect(memory.total_bytes).toBeLessThan(256 * 1024 * 1024);
    expect(memory.available_bytes).toBeGreaterThan(8 * 1024 * 1024);
    await told(await on(small), /thinking tiers do not run/);
  },
  limit_ms,
);

test(
  "256 MB of memory: the sentence model is there if it fits, and whichever it is, memory runs on and says so",
  async () => {
    const machine = await on(small);
    const ask = async () => {
      const status = await serviceStatus(machine.console, "memory");
      const loaded = status.health?.facts["embed_loaded"] === true;
      const without = /searched by word alone: .*the machine.* has \d+ MiB left/.test(status.health?.detail ?? "");
      // what it said before it was started anew is not its word any more
      return status.state === "ready" && (loaded || without) ? status : null;
    };
    const { health } = await waitFor("memory to be ready and say whether there is a model", ask, patient);
    expect(health?.facts["embed_restarts"]).toBe(0);
    expect(await machine.console.list("events", { query: { kind: "kernel.oom-kill", lines: "100" } })).toEqual([]);
  },
  limit_ms,
);

test(
  "a broken data partition is left alone for a person to look at",
  async () => {
    const machine = await on(withBrokenData);
    await told(machine, /data/);
    expect((await machine.console.call("status")).data.persistent).toBe(false);
  },
  limit_ms,
);

test(
  "a dead clock: the time is not before the image was built",
  async () => {
    const machine = await on(withBrokenData);
    expect((await machine.console.call("status")).time_ms).toBeGreaterThanOrEqual(built_ms());
    expect(await told(machine, /clock/)).toContain("which cannot be");
  },
  limit_ms,
);

test(
  "no data disk at all",
  async () => {
    const machine = await on(bare);
    await told(machine, /data/);
    expect((await machine.console.call("status")).data.persistent).toBe(false);
  },
  limit_ms,
);

test(
  "no clock at all",
  async () => {
    const machine = await on(bare);
    expect((await machine.console.call("status")).time_ms).toBeGreaterThanOrEqual(built_ms());
    await told(machine, /clock/);
  },
  limit_ms,
);

test(
  "a service that cannot run ends in a crash loop, and the rest goes on",
  async () => {
    const machine = await on(bare);
    const looping = async () => {
      const now = await serviceStatus(machine.console, "looping");
      return now.state === "crash-loop" ? now : null;
    };
    const { pid, last_exit, restarts } = await waitFor("the crash loop", looping, patient);
    expect(pid).toBeNull();
    expect(last_exit?.status).toBeGreaterThan(0);
    expect(restarts).toBeGreaterThan(2);
    expect(await told(machine, /looping/)).toMatch(/\d+ failures in \d+ s; next try in/);
    expect((await serviceStatus(machine.console, "console")).state).toBe("ready");
  },
  limit_ms,
);
