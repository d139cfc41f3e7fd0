/**
 * The tools on the real image and kernel, in one story: settings, devices that only a machine has, its clock, a service, and a
 * real package that is installed, served, reached from outside and updated; all of it is there after a restart by
 * Ctrl-Alt-Del, and taken back. What waits for a person and what nobody confirms is in the container's story.
 */

import { expect, test } from "bun:test";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { copyDisk } from "../../machine/disks.ts";
import { pressCtrlAltDel } from "../../machine/inject.ts";
import { needBuilt, newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady } from "../expect.ts";
import { type Mirror, type RealPackages, realPackages, server, startMirror } from "../real-packages.ts";
import { keepRule, makeChanges, serviceState, stillThere, takeBack } from "../tools-story.ts";
import { services_without_tiers, without_tiers } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const inside = 8081;
const outside = 18_080;

interface Running {
  readonly machine: Machine;
  readonly aiosctl: Aiosctl;
  readonly mirror: Mirror;
  readonly packages: RealPackages;
}

const History = z.object({ current: z.number(), outdated_services: z.array(z.object({ service: z.string(), generation: z.number() })) });

async function history({ aiosctl }: Running): Promise<z.infer<typeof History>> {
  return History.parse((await aiosctl.done("pkg.history", {})).structuredContent);
}

/** `1.4.69-1` → `1.4.69` */
const upstream = (version: string): string => version.replace(/-[^-]*$/, "");

async function runs({ aiosctl }: Running): Promise<void> {
  await waitFor("the service to run", async () => (await serviceState(aiosctl, "web")) === "ready", { limit_ms: 180_000, every_ms: 500 });
}

async function serves({ mirror }: Running, version: string): Promise<void> {
  expect(await mirror.ask(outside)).toContain(`${server} version ${upstream(version)}`);
}

async function installAndServe(running: Running): Promise<void> {
  const { aiosctl, packages } = running;
  const { version } = packages.older;
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
  await serves(running, version);
}

/** An emulated machine's clock may lag, and a signature from its future is no good there. */
async function afterNow({ machine }: Running): Promise<void> {
  const signed_ms = Date.now();
  const passed = async (): Promise<boolean> => (await machine.console.call("status")).time_ms > signed_ms;
  await waitFor("the machine's clock to pass the signature", passed, { limit_ms: 60_000, every_ms: 200 });
}

async function updateIt(running: Running): Promise<void> {
  const { aiosctl, mirror, packages } = running;
  const { older, newer, others } = packages;
  mirror.offer([older.deb, newer.deb, ...others]);
  await afterNow(running);
  const updated = await aiosctl.done("pkg.update", { packages: [server] });
  expect(updated.structuredContent).toMatchObject({ generation: 2, before: 1, outdated_services: [{ service: "web", generation: 1 }] });
  expect(JSON.stringify(updated.structuredContent?.["changes"])).toContain(`"before":"${older.version}","after":"${newer.version}"`);
  await serves(running, older.version);
  await aiosctl.done("service.restart", { name: "web" });
  await runs(running);
  await serves(running, newer.version);
  expect(await history(running)).toEqual({ current: 2, outdated_services: [] });
}

/** Devices that a namespace of the build machine does not have, a kernel parameter, and the machine's own clock. */
async function changeMachine({ aiosctl }: Running): Promise<void> {
  const stay = ["--confirm-within", "0"];
  await aiosctl.done("net.configure", { interface: "lan", make: { kind: "bridge" }, up: true, addresses: ["192.0.2.1/24"] }, ...stay);
  await aiosctl.done(
    "net.configure",
    { interface: "tagged", make: { kind: "vlan", parent: "lan", id: 7 }, up: true, addresses: ["2001:db8::1/64"] },
    ...stay,
  );
  await aiosctl.done("net.configure", { interface: "pair", make: { kind: "bond" }, up: true }, ...stay);
  await aiosctl.done("sys.sysctl", { name: "vm.swappiness", value: "17" });
  const { structuredContent } = await aiosctl.done("sys.time", { set_ms: Date.now() + 3_600_000 });
  expect(Number(structuredContent?.["stepped_ms"])).toBeGreaterThan(3_500_000);
  expect((await aiosctl.undo((await aiosctl.audit("--tool", "sys.time", "--kind", "intent"))[0]?.call ?? ""))[0]?.status).toBe("done");
  expect(Math.abs(Number((await aiosctl.done("sys.time", {})).structuredContent?.["now_ms"]) - Date.now())).toBeLessThan(60_000);
}

async function machineStillThere({ aiosctl }: Running): Promise<void> {
  const { structuredContent } = await aiosctl.done("net.interfaces", { name: "tagged" });
  expect(structuredContent?.["interfaces"]).toMatchObject([
    { kind: "vlan", vlan: 7, parent: "lan", up: true, addresses: ["2001:db8::1/64"] },
  ]);
  expect((await aiosctl.done("sys.sysctl", { name: "vm.swappiness" })).structuredContent).toMatchObject({ value: "17" });
}

async function pressAndWait({ machine }: Running): Promise<void> {
  const resets = machine.qmp.count("RESET");
  const after = machine.serial().length;
  await pressCtrlAltDel(machine.qmp);
  await waitFor("the restart", () => machine.qmp.count("RESET") > resets, patient);
  machine.wasReset();
  await machine.ready({ after });
  expect(machine.serial().slice(after)).toContain("aios: shutdown: file systems: ");
}

async function allTakenBack(running: Running, begin_ms: number, hostname: string): Promise<void> {
  const { aiosctl } = running;
  const tools = await takeBack(aiosctl, begin_ms, hostname);
  expect(tools).toEqual(expect.arrayContaining(["pkg.update", "pkg.install", "service.define", "net.listen", "net.configure"]));
  expect((await history(running)).current).toBe(0);
  expect((await aiosctl.call("service.status", { name: "web" }))._meta.status).toBe("failed");
  expect((await aiosctl.call("pkg.files", { name: server }))._meta.status).toBe("failed");
  expect((await aiosctl.call("net.interfaces", { name: "lan" }))._meta.status).toBe("failed");
  const entries = await aiosctl.audit("--tool", "pkg.*");
  for (const tool of ["pkg.install", "pkg.update"])
    expect(entries.filter((entry) => entry.tool === tool && entry.kind === "outcome").map(({ status }) => status)).toEqual([
      "done",
      "done",
    ]);
}

test("an operator changes the system and installs a real package, restarts it cleanly by Ctrl-Alt-Del, and takes everything back", async () => {
  const packages = await realPackages(server);
  const folder = newFolder("operator");
  const mirror = await startMirror(join(folder, "mirror"));
  mirror.offer([packages.older.deb, ...packages.others]);
  const disk = join(folder, "disk.raw");
  await copyDisk(needBuilt("disk_image"), disk);
  truncateSync(disk, statSync(disk).size + 768 * 1024 * 1024);
  const machine = await startMachine({ boot: "disk", disk, network_of: mirror.pid, config: `${without_tiers}${mirror.config}` });
  try {
    await machine.ready();
    await allReady(machine.console, patient, services_without_tiers);
    await machine.qmp.execute("human-monitor-command", { "command-line": `hostfwd_add net0 tcp:127.0.0.1:${outside}-:${inside}` });
    const aiosctl = new Aiosctl(machine.console_socket);
    const running: Running = { machine, aiosctl, mirror, packages };
    const hostname = String((await aiosctl.done("sys.hostname", {})).structuredContent?.["hostname"]);
    const begin_ms = await makeChanges(aiosctl);
    await installAndServe(running);
    await updateIt(running);
    await changeMachine(running);
    await keepRule(aiosctl);
    await pressAndWait(running);
    await stillThere(aiosctl);
    await machineStillThere(running);
    await runs(running);
    await serves(running, packages.newer.version);
    await allTakenBack(running, begin_ms, hostname);
    await machine.poweroff();
  } finally {
    await machine.kill();
    mirror.end();
  }
}, 1_800_000);
