/** The tools on the real root and kernel: the same story as in the container, and what only a machine has. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { makeDataDisk } from "../../machine/disks.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady } from "../expect.ts";
import { askForApproval, lockOut, makeChanges, stillThere, takeBack } from "../tools-story.ts";
import { without_models } from "../without-models.ts";

async function boot(disk: string): Promise<{ readonly machine: Machine; readonly aiosctl: Aiosctl }> {
  const machine = await startMachine({ boot: "direct", config: without_models, disk });
  await machine.ready();
  await allReady(machine.console, { limit_ms: 180_000, every_ms: 200 });
  return { machine, aiosctl: new Aiosctl(machine.console_socket) };
}

/** Devices that a namespace of the build machine does not have, kernel parameters, and the machine's own clock. */
async function changeMachine(aiosctl: Aiosctl): Promise<void> {
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

async function machineStillThere(aiosctl: Aiosctl): Promise<void> {
  const { structuredContent } = await aiosctl.done("net.interfaces", { name: "tagged" });
  expect(structuredContent?.["interfaces"]).toMatchObject([
    { kind: "vlan", vlan: 7, parent: "lan", up: true, addresses: ["2001:db8::1/64"] },
  ]);
  expect((await aiosctl.done("sys.sysctl", { name: "vm.swappiness" })).structuredContent).toMatchObject({ value: "17" });
}

test("an operator changes the system, reboots it, and takes everything back", async () => {
  const disk = join(newFolder("tools"), "disk.raw");
  await makeDataDisk(disk, 1024);
  let begin_ms = 0;
  let hostname = "";
  const first = await boot(disk);
  try {
    hostname = String((await first.aiosctl.done("sys.hostname", {})).structuredContent?.["hostname"]);
    begin_ms = await makeChanges(first.aiosctl);
    await changeMachine(first.aiosctl);
    await lockOut(first.aiosctl, () => askForApproval(first.aiosctl));
    await first.machine.poweroff();
  } finally {
    await first.machine.kill();
  }
  const second = await boot(disk);
  try {
    await stillThere(second.aiosctl);
    await machineStillThere(second.aiosctl);
    await takeBack(second.aiosctl, begin_ms, hostname);
    expect((await second.aiosctl.call("net.interfaces", { name: "lan" }))._meta.status).toBe("failed");
    await second.machine.poweroff();
  } finally {
    await second.machine.kill();
  }
}, 1_800_000);
