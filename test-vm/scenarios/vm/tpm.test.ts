import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTpm } from "../../machine/tpm.ts";
import { newFolder } from "../../places.ts";
import { startMachine } from "../../qemu.ts";

test("a TPM is in the inventory, and the kernel's driver has spoken with it", async () => {
  const sockets = mkdtempSync(join(tmpdir(), "aios-tpm-"));
  const tpm = await startTpm(newFolder("tpm"), sockets);
  const machine = await startMachine({ boot: "direct", more: tpm.arguments });
  try {
    await machine.ready();
    expect((await machine.console.call("hardware")).tpm).toEqual({ present: true, version: "2" });
    // the banks of measurements are what the TPM itself answered
    expect((await machine.sh("ls /sys/class/tpm/tpm0")).out).toContain("pcr-sha256");
    await machine.poweroff();
  } finally {
    await machine.kill();
    tpm.end();
    rmSync(sockets, { recursive: true, force: true });
  }
}, 300_000);
