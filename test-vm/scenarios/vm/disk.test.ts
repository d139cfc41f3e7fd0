/** The disk image as a user has it: UEFI firmware, unified kernel image, root by partition name, data that stays; and kexec, which needs an ESP. */

import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../tooling/run.ts";
import { dataPartition, extractDataPartition, isCleanFileSystem, makeBlankDisk, putConfig } from "../../machine/disks.ts";
import { setLink } from "../../machine/inject.ts";
import { needBuilt, newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { allReady, decisionWhere, serviceStatus } from "../expect.ts";
import { memory_only, services_of_memory_only } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const gibibyte = 1024 ** 3;
const disk_bytes = 4 * gibibyte;

/** As README says, onto a disk that is larger than the image. */
async function flash(disk: string): Promise<void> {
  makeBlankDisk(disk, disk_bytes / 1024 / 1024);
  await run(["dd", `if=${needBuilt("disk_image")}`, `of=${disk}`, "bs=4M", "conv=fsync,notrunc,sparse", "status=none"]);
}

/** Within the limits of memory's cgroup. */
async function sentenceModelLoaded({ console }: Machine): Promise<void> {
  const loaded = async () => {
    const { health } = await serviceStatus(console, "memory");
    return health?.facts["embed_loaded"] === true ? health.facts : null;
  };
  const facts = await waitFor("the sentence model", loaded, patient);
  expect(facts["embed_model"]).toMatch(/^all-minilm-l6-v2@[0-9a-f]{12}$/);
  expect(facts["embed_restarts"]).toBe(0);
}

/** The second boot, in which no tier thinks: the first test leaves it for the other. */
let second: Machine | null = null;
afterAll(() => second?.kill());

test("boots by UEFI with its models, grows and keeps its data, powers off cleanly, and reads its config from the ESP", async () => {
  const folder = newFolder("image");
  const disk = join(folder, "disk.raw");
  await flash(disk);
  const first = await startMachine({ boot: "disk", disk });
  let machine_id = "";
  let decided = "";
  try {
    await first.ready();
    await allReady(first.console, patient);
    const status = await first.console.call("status");
    machine_id = status.machine_id;
    expect([status.state, status.degradations]).toEqual(["running", []]);
    expect(status.data.persistent).toBe(true);
    expect(status.data.size_bytes).toBeGreaterThan(2.5 * gibibyte);
    expect(status.data.detail).toContain("grown to its disk, formatted");
    expect((await first.console.call("hardware")).firmware.kind).toBe("uefi");
    await sentenceModelLoaded(first);
    await setLink(first.qmp, "net0", false);
    decided = (
      await decisionWhere(first.console, "about the link", ({ rule }) => rule === "link-down", { limit_ms: 180_000, every_ms: 500 })
    ).id;
    await first.poweroff();
  } finally {
    await first.kill();
  }
  const partition = join(folder, "data.ext4");
  await extractDataPartition(disk, partition);
  const found = await isCleanFileSystem(partition);
  expect(found.clean, found.said).toBe(true);
  const { offset_bytes, size_bytes } = await dataPartition(disk);
  expect(disk_bytes - offset_bytes - size_bytes).toBeLessThan(2 * 1024 * 1024);

  const config = join(folder, "aios.yaml");
  writeFileSync(config, `hostname: from-the-esp\n${memory_only}`);
  await putConfig(disk, config);
  second = await startMachine({ boot: "disk", disk });
  await second.ready();
  const status = await second.console.call("status");
  expect(status).toMatchObject({ machine_id, hostname: "from-the-esp", degradations: [] });
  expect(status.config.from).toBe('"aios.yaml" on "/dev/vda1"');
  // neither grown, formatted nor repaired again
  expect(status.data.detail).toBe(`"/dev/vda4", ${Math.floor(size_bytes / 1024 / 1024)} MiB`);
  const booted = second;
  const ask = () => booted.console.call("why", { path: { id: decided } });
  const why = await waitFor("memory to answer", ask, patient);
  expect(why.decisions.map(({ id }) => id)).toEqual([decided]);
}, 1_800_000);

test("kexec boots the kernel on the ESP, with a clean way down and no firmware between", async () => {
  second ??= await startMachine({ boot: "disk", config: memory_only });
  const machine = second;
  await machine.ready();
  await allReady(machine.console, patient, services_of_memory_only);
  const before = await machine.console.call("status");
  const firmware_lines = (): number => machine.serial().split("BdsDxe").length;
  const firmware_before = firmware_lines();
  expect(firmware_before).toBeGreaterThan(1);
  const resets_before = machine.qmp.count("RESET");
  const after = machine.serial().length;
  await machine.console.call("kexec", { reason: "the scenario wants to see it", limit_ms: 180_000 });
  await machine.ready({ after });
  await allReady(machine.console, patient, services_of_memory_only);

  const status = await machine.console.call("status");
  expect(status.boot_id).not.toBe(before.boot_id);
  expect(status).toMatchObject({ machine_id: before.machine_id, state: "running", degradations: [] });
  expect(machine.qmp.count("RESET"), machine.serial().slice(after)).toBe(resets_before);
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
}, 1_800_000);
