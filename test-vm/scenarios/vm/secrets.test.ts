/** Secrets on the real kernel with a TPM: over a reboot, on the raw disk, and with another TPM. */

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDataDisk } from "../../machine/disks.ts";
import { startTpm } from "../../machine/tpm.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { Aiosctl } from "../aiosctl.ts";
import { hasRead, listed, putAndUse, service, timesIn, value } from "../secrets-story.ts";
import { broker_only } from "../without-models.ts";

/** AIOS_LONG=1 starts it without any TPM, too. */
const long = process.env["AIOS_LONG"] === "1";

type Work = (machine: Machine, aiosctl: Aiosctl) => Promise<void>;

/** One boot with the TPM whose state is in that folder; null: without one. The machine is left as it is, which is a power cut. */
async function boot(disk: string, tpm_folder: string | null, work: Work): Promise<void> {
  const sockets = mkdtempSync(join(tmpdir(), "aios-tpm-"));
  const tpm = tpm_folder === null ? null : await startTpm(tpm_folder, sockets);
  const machine = await startMachine({ boot: "direct", config: broker_only, disk, more: tpm?.arguments ?? [] });
  try {
    await machine.ready();
    await work(machine, new Aiosctl(machine.console_socket));
    expect(machine.serial()).not.toContain(value);
  } finally {
    await machine.kill();
    tpm?.end();
    rmSync(sockets, { recursive: true, force: true });
  }
  expect(timesIn(disk, value)).toBe(0);
}

test("sealed by the TPM: used after a reboot, plain nowhere on the disk; another TPM: an error, and the boot goes on", async () => {
  const folder = newFolder("secrets");
  const [disk, tpm] = [join(folder, "data.raw"), join(folder, "tpm")];
  const other = [join(folder, "other"), "the TPM that sealed it was cleared, or this is another one"] as const;
  const none = [null, "there is no TPM in this machine now"] as const;
  await makeDataDisk(disk);
  await boot(disk, tpm, async (machine, aiosctl) => {
    expect((await machine.console.call("hardware")).tpm).toEqual({ present: true, version: "2" });
    // the banks of measurements are what the TPM itself answered
    expect((await machine.sh("ls /sys/class/tpm/tpm0")).out).toContain("pcr-sha256");
    await putAndUse(aiosctl);
    expect(await listed(aiosctl)).toMatchObject({ sealed_by: "tpm", secrets: [{ name: "shop", sealed_by: "tpm", services: ["reader"] }] });
    expect((await machine.sh("stat -c '%a %u' /proc/1/root/run/aios/secrets/reader/shop")).out.trim()).toBe("400 20000");
    expect((await machine.sh("stat -f -c %T /proc/1/root/run/aios/secrets")).out.trim()).toBe("tmpfs");
    expect((await machine.sh("dmesg")).out).not.toContain(value);
    await machine.poweroff();
  });
  for (const [now, words] of long ? [other, none] : [other])
    await boot(disk, now, async (machine, aiosctl) => {
      const { secrets } = await listed(aiosctl);
      expect(secrets[0]?.trouble).toContain(words);
      expect(secrets[0]?.trouble).toContain("start with that TPM as it was, or put it anew (nothing was deleted)");
      const services = await machine.console.call("services");
      expect(services.find(({ name }) => name === service.name)?.last_exit ?? null).toBeNull(); // not started
      const broker = services.find(({ name }) => name === "broker");
      expect(broker?.health?.status).toBe("degraded");
      expect(broker?.health?.detail).toContain(words);
    });
  // with the first TPM all is as it was
  await boot(disk, tpm, async (machine, aiosctl) => {
    await hasRead(aiosctl);
    expect(await listed(aiosctl)).toMatchObject({ secrets: [{ name: "shop", sealed_by: "tpm", trouble: null }] });
    await machine.poweroff();
  });
}, 1_800_000);
