/** The next kernel without the firmware: as clean as a reboot, and quicker. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { extractDataPartition, isCleanFileSystem } from "../../machine/disks.ts";
import { startMachine } from "../../qemu.ts";
import { allReady } from "../expect.ts";
import { without_models } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };

test("kexec boots the kernel on the ESP, with a clean way down and no firmware between", async () => {
  const machine = await startMachine({ boot: "disk", config: without_models });
  try {
    await machine.ready();
    await allReady(machine.console, patient);
    const before = await machine.console.call("status");
    const firmware_lines = (): number => machine.serial().split("BdsDxe").length;
    const firmware_before = firmware_lines();
    expect(firmware_before).toBeGreaterThan(1);
    const resets_before = machine.qmp.count("RESET");
    const after = machine.serial().length;
    await machine.console.call("kexec", { reason: "the scenario wants to see it", limit_ms: 180_000 });
    await machine.ready({ after });
    await allReady(machine.console, patient);

    const status = await machine.console.call("status");
    expect(status.boot_id).not.toBe(before.boot_id);
    expect(status).toMatchObject({ machine_id: before.machine_id, state: "running", degradations: [] });
    expect(machine.qmp.count("RESET")).toBe(resets_before);
    expect(firmware_lines()).toBe(firmware_before);
    expect(machine.serial().slice(after)).toMatch(/shutdown: file systems: 1 unmounted, 0 in use\r?\naios: kexec now/);
    expect((await machine.console.call("hardware")).firmware.kind).toBe("uefi");
    const data = (await machine.console.call("boot")).phases.find(({ name }) => name === "data partition");
    expect(data?.outcome, data?.detail).toBe("done");

    await machine.poweroff();
    const partition = join(machine.folder, "data.ext4");
    await extractDataPartition(machine.disk ?? "", partition);
    const found = await isCleanFileSystem(partition);
    expect(found.clean, found.said).toBe(true);
  } finally {
    await machine.kill();
  }
}, 1_800_000);
