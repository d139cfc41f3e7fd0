/** A real package on the real image: installed, run as a service, reached from outside, updated, kept over a power cycle, taken back. */

import { expect, test } from "bun:test";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { copyDisk } from "../../machine/disks.ts";
import { needBuilt, newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady } from "../expect.ts";
import { type Mirror, realPackages, server, startMirror } from "../real-packages.ts";
import { serviceState } from "../tools-story.ts";
import { services_without_tiers, without_tiers } from "../without-models.ts";

const inside = 8080;
const outside = 18_080;

interface Running {
  readonly machine: Machine;
  readonly aiosctl: Aiosctl;
}

async function boot(disk: string, mirror: Mirror): Promise<Running> {
  const machine = await startMachine({ boot: "disk", disk, network_of: mirror.pid, config: `${without_tiers}${mirror.config}` });
  await machine.ready();
  await allReady(machine.console, { limit_ms: 180_000, every_ms: 200 }, services_without_tiers);
  await machine.qmp.execute("human-monitor-command", { "command-line": `hostfwd_add net0 tcp:127.0.0.1:${outside}-:${inside}` });
  return { machine, aiosctl: new Aiosctl(machine.console_socket) };
}

const History = z.object({ current: z.number(), outdated_services: z.array(z.object({ service: z.string(), generation: z.number() })) });

async function history({ aiosctl }: Running): Promise<z.infer<typeof History>> {
  return History.parse((await aiosctl.done("pkg.history", {})).structuredContent);
}

/** Installs, defines, opens. @returns when it began */
async function setUp(running: Running, mirror: Mirror, version: string): Promise<number> {
  const { aiosctl } = running;
  const begin_ms = Number((await aiosctl.done("sys.time", {})).structuredContent?.["now_ms"]);
  const began = performance.now();
  const installed = await aiosctl.done("pkg.install", { packages: [{ name: server }] });
  process.stderr.write(`pkg.install: ${Math.round(performance.now() - began)} ms, of which ${installed._meta.took_ms} in the broker\n`);
  expect(installed.structuredContent).toMatchObject({ generation: 1, before: 0, outdated_services: [] });
  expect(JSON.stringify(installed.structuredContent?.["changes"])).toContain(`{"name":"${server}","before":null,"after":"${version}"}`);
  const argv = ["/usr/bin/socat", `TCP-LISTEN:${inside},fork,reuseaddr`, "EXEC:/usr/bin/socat -V"];
  const ports = [{ protocol: "tcp", port: inside }];
  await aiosctl.done("service.define", { name: "web", argv, root: "userland", network: true, ports });
  await runs(running);
  await aiosctl.done("net.listen", { port: inside, owner: "web" });
  expect(await mirror.ask(outside)).toContain(`${server} version ${upstream(version)}`);
  return begin_ms;
}

/** `1.4.69-1` → `1.4.69` */
const upstream = (version: string): string => version.replace(/-[^-]*$/, "");

async function runs({ aiosctl }: Running): Promise<void> {
  const ready = async (): Promise<boolean> => (await serviceState(aiosctl, "web")) === "ready";
  await waitFor("the service to run", ready, { limit_ms: 180_000, every_ms: 500 });
}

/** An emulated machine's clock may lag, and a signature from its future is no good there. */
async function afterNow({ machine }: Running): Promise<void> {
  const signed_ms = Date.now();
  const passed = async (): Promise<boolean> => (await machine.console.call("status")).time_ms > signed_ms;
  await waitFor("the machine's clock to pass the signature", passed, { limit_ms: 60_000, every_ms: 200 });
}

async function updateIt(running: Running, mirror: Mirror, older: string, newer: string): Promise<void> {
  const { aiosctl } = running;
  const updated = await aiosctl.done("pkg.update", { packages: [server] });
  expect(updated.structuredContent).toMatchObject({ generation: 2, before: 1, outdated_services: [{ service: "web", generation: 1 }] });
  expect(JSON.stringify(updated.structuredContent?.["changes"])).toContain(`"before":"${older}","after":"${newer}"`);
  expect(await mirror.ask(outside)).toContain(`${server} version ${upstream(older)}`);
  await aiosctl.done("service.restart", { name: "web" });
  await runs(running);
  expect(await mirror.ask(outside)).toContain(`${server} version ${upstream(newer)}`);
  expect(await history(running)).toEqual({ current: 2, outdated_services: [] });
}

async function takeBack(running: Running, begin_ms: number): Promise<void> {
  const { aiosctl } = running;
  const outcomes = await aiosctl.undo("--since", new Date(begin_ms).toISOString());
  expect(outcomes.map(({ tool, status }) => `${tool} ${status}`).filter((one) => !one.endsWith(" done"))).toEqual([]);
  expect(outcomes.map(({ tool }) => tool)).toEqual(expect.arrayContaining(["pkg.update", "pkg.install", "service.define", "net.listen"]));
  expect((await history(running)).current).toBe(0);
  expect((await aiosctl.call("service.status", { name: "web" }))._meta.status).toBe("failed");
  expect((await aiosctl.call("pkg.files", { name: server }))._meta.status).toBe("failed");
  const entries = await aiosctl.audit("--tool", "pkg.*");
  for (const tool of ["pkg.install", "pkg.update"])
    expect(entries.filter((entry) => entry.tool === tool && entry.kind === "outcome").map(({ status }) => status)).toEqual([
      "done",
      "done",
    ]);
  process.stderr.write(`${(await aiosctl.run("audit", "--tool", "pkg.*")).out}\n`);
  expect(await aiosctl.verify()).toMatchObject({ whole: true, faults: [] });
}

test("a real package: installed, served, updated, kept, taken back", async () => {
  const packages = await realPackages(server);
  const folder = newFolder("packages");
  const mirror = await startMirror(join(folder, "mirror"));
  mirror.offer([packages.older.deb, ...packages.others]);
  const disk = join(folder, "disk.raw");
  await copyDisk(needBuilt("disk_image"), disk);
  truncateSync(disk, statSync(disk).size + 768 * 1024 * 1024);
  let begin_ms = 0;
  const first = await boot(disk, mirror);
  try {
    begin_ms = await setUp(first, mirror, packages.older.version);
    mirror.offer([packages.older.deb, packages.newer.deb, ...packages.others]);
    await afterNow(first);
    await updateIt(first, mirror, packages.older.version, packages.newer.version);
    await first.machine.poweroff();
  } finally {
    await first.machine.kill();
  }
  const second = await boot(disk, mirror);
  try {
    await runs(second);
    expect(await mirror.ask(outside)).toContain(`${server} version ${upstream(packages.newer.version)}`);
    await takeBack(second, begin_ms);
    await second.machine.poweroff();
  } finally {
    await second.machine.kill();
    mirror.end();
  }
}, 1_800_000);
