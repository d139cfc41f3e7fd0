/** A config on a stick labelled AIOS-CONFIG: there at power-on, and plugged in while the system runs; and what a reboot takes up. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeConfigStick } from "../../machine/disks.ts";
import * as inject from "../../machine/inject.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { eventWhere } from "../expect.ts";
import { console_only } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const folder = newFolder("sticks");
const sticks = { first: join(folder, "first.raw"), wrong: join(folder, "wrong.raw"), second: join(folder, "second.raw") };

let machine: Machine;

beforeAll(async () => {
  await makeConfigStick(sticks.first, `hostname: from-the-stick\n${console_only}`, false);
  await makeConfigStick(sticks.wrong, "hostname: x\nnetwork:\n  dsn: []\n", true);
  await makeConfigStick(sticks.second, `hostname: from-the-second\n${console_only}`, true);
  const more = ["-blockdev", `driver=raw,node-name=first-medium,file.driver=file,file.filename=${sticks.first}`];
  machine = await startMachine({ boot: "direct", more: [...more, "-device", "usb-storage,id=first,drive=first-medium,bus=usb.0"] });
  await machine.ready();
}, 900_000);

afterAll(() => machine?.kill());

/** Each test may be the first: the stick of the boot is pulled out once. */
let first_is_in = true;
async function pullFirst(): Promise<void> {
  if (!first_is_in) return;
  first_is_in = false;
  await inject.unplug(machine.qmp, "first");
}

/** Once, for all tests that look at what is different afterwards. */
let rebooted: Promise<Rebooted> | null = null;
interface Rebooted {
  readonly boot_id: string;
  readonly seed: string;
}

/** @returns what was before */
function reboot(): Promise<Rebooted> {
  rebooted ??= (async () => {
    const before = { boot_id: (await machine.console.call("status")).boot_id, seed: await seed() };
    const after = machine.serial().length;
    await machine.console.call("reboot", { reason: "the scenario wants to see it" });
    machine.wasReset();
    await machine.ready({ after });
    return before;
  })();
  return rebooted;
}

const seed = async () => (await machine.sh("stat -c %a:%s /proc/1/root/var/lib/aios/seed; sha256sum /proc/1/root/var/lib/aios/seed")).out;
const seedPhase = async () => (await machine.console.call("boot")).phases.find(({ name }) => name === "entropy seed");
const config = async () => (await machine.console.call("status")).config;

test("a stick that is there at power-on is the config", async () => {
  const { hostname, degradations } = await machine.console.call("status");
  expect([hostname, degradations]).toEqual(["from-the-stick", []]);
  expect(await config()).toEqual({ from: '"aios.yaml" on "/dev/sda"', next: null });
});

test("one that is plugged in and wrong is named with line, key and reason, until it is pulled out", async () => {
  await pullFirst();
  await inject.plugStick(machine.qmp, "wrong", sticks.wrong);
  const found = await eventWhere(machine.console, "config.found", ({ facts }) => facts.outcome === "refused", patient);
  expect(found.facts.detail).toContain('line 3, key "network.dsn": there is no such key');
  const { state, degradations, hostname } = await machine.console.call("status");
  expect([state, degradations.map(({ what }) => what), hostname]).toEqual(["degraded", ["config stick"], "from-the-stick"]);
  await inject.unplug(machine.qmp, "wrong");
  await waitFor("that to be taken back", async () => (await machine.console.call("status")).state === "running", patient);
});

test("one that is plugged in and right is said to hold from the next boot on, and does", async () => {
  await pullFirst();
  await inject.plugStick(machine.qmp, "second", sticks.second);
  await eventWhere(machine.console, "config.found", ({ facts }) => facts.outcome === "next-boot", patient);
  expect((await config()).next).toContain("takes effect at the next boot");
  expect((await machine.console.call("status")).hostname).toBe("from-the-stick");
  await reboot();
  expect((await machine.console.call("status")).hostname).toBe("from-the-second");
  expect((await config()).next).toBeNull();
}, 900_000);

test("a reboot by the console comes back, and its random seed is used once", async () => {
  const before = await reboot();
  expect(before.seed).toStartWith("600:64\n");
  expect((await machine.console.call("status")).boot_id).not.toBe(before.boot_id);
  expect(await seedPhase()).toMatchObject({ outcome: "done", detail: "64 bytes credited, and replaced" });
  expect(await seed()).not.toBe(before.seed);
}, 900_000);
