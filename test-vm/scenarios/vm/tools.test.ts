/** The tools on the real root and kernel: the same story as in the container, and what only a machine has. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { makeDataDisk } from "../../machine/disks.ts";
import { pressCtrlAltDel } from "../../machine/inject.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady } from "../expect.ts";
import { askForApproval, lockOut, makeChanges, stillThere, takeBack } from "../tools-story.ts";
import { services_without_tiers, without_tiers } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };

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

async function pressAndWait(machine: Machine): Promise<void> {
  const resets = machine.qmp.count("RESET");
  const after = machine.serial().length;
  await pressCtrlAltDel(machine.qmp);
  await waitFor("the restart", () => machine.qmp.count("RESET") > resets, patient);
  machine.wasReset();
  await machine.ready({ after });
  expect(machine.serial().slice(after)).toContain("aios: shutdown: file systems: ");
}

test("an operator changes the system, restarts it cleanly by Ctrl-Alt-Del, and takes everything back", async () => {
  const disk = join(newFolder("tools"), "disk.raw");
  await makeDataDisk(disk, 1024);
  const machine = await startMachine({ boot: "direct", config: without_tiers, disk });
  try {
    await machine.ready();
    await allReady(machine.console, patient, services_without_tiers);
    const aiosctl = new Aiosctl(machine.console_socket);
    const hostname = String((await aiosctl.done("sys.hostname", {})).structuredContent?.["hostname"]);
    const begin_ms = await makeChanges(aiosctl);
    await changeMachine(aiosctl);
    await lockOut(aiosctl, () => askForApproval(aiosctl));
    await pressAndWait(machine);
    await stillThere(aiosctl);
    await machineStillThere(aiosctl);
    await takeBack(aiosctl, begin_ms, hostname);
    expect((await aiosctl.call("net.interfaces", { name: "lan" }))._meta.status).toBe("failed");
  } finally {
    await machine.kill();
  }
}, 1_800_000);
