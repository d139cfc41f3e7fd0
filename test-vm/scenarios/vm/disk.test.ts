/** The disk image as a user has it: UEFI firmware, unified kernel image, root by partition name, data that stays. */

import { expect, test } from "bun:test";
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyDisk, extractDataPartition, isCleanFileSystem, putConfig } from "../../machine/disks.ts";
import { needBuilt, newFolder } from "../../places.ts";
import { startMachine } from "../../qemu.ts";
import { allReady } from "../expect.ts";

test("boots by UEFI, grows and keeps its data, powers off cleanly, and reads its config from the ESP", async () => {
  const folder = newFolder("image");
  const disk = join(folder, "disk.raw");
  await copyDisk(needBuilt("disk_image"), disk);
  truncateSync(disk, statSync(disk).size + 512 * 1024 * 1024);
  const first = await startMachine({ boot: "disk", disk });
  let machine_id = "";
  try {
    await first.ready();
    await allReady(first.console, { limit_ms: 60_000, every_ms: 200 });
    const status = await first.console.call("status");
    machine_id = status.machine_id;
    expect(status.data.persistent).toBe(true);
    expect(status.data.size_bytes).toBeGreaterThan(450 * 1024 * 1024);
    expect((await first.console.call("hardware")).firmware.kind).toBe("uefi");
    await first.poweroff();
  } finally {
    await first.kill();
  }
  const partition = join(folder, "data.ext4");
  await extractDataPartition(disk, partition);
  const found = await isCleanFileSystem(partition);
  expect(found.clean, found.said).toBe(true);

  const config = join(folder, "aios.yaml");
  writeFileSync(config, "hostname: from-the-esp\n");
  await putConfig(disk, config);
  const second = await startMachine({ boot: "disk", disk });
  try {
    await second.ready();
    expect(await second.console.call("status")).toMatchObject({ machine_id, hostname: "from-the-esp" });
    await second.poweroff();
  } finally {
    await second.kill();
  }
}, 600_000);
