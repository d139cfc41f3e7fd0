/** One machine, booted directly, to which everything happens that can happen to a machine that runs. Its models are in `disk.test.ts`. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import type { SystemStatus } from "../../../contracts/init.ts";
import { sysctls } from "../../../init/boot/tunables.ts";
import { extractDataPartition, isCleanFileSystem, makeBlankDisk } from "../../machine/disks.ts";
import * as inject from "../../machine/inject.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor, within } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady, decisionWhere, eventWhere, readyAgain, serviceStatus } from "../expect.ts";
import { services_with_strategic, strategic_only } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };

let machine: Machine;
/** What the console said first, and what the serial log held by then. */
let early: { readonly status: SystemStatus; readonly serial: string };

beforeAll(async () => {
  // of zeroes, without a file
  const sata = [
    "-blockdev",
    "driver=null-co,node-name=sata,size=67108864,read-zeroes=on",
    "-device",
    "ide-hd,drive=sata,bus=ide.0,serial=sata",
  ];
  machine = await startMachine({ boot: "direct", config: strategic_only, more: sata });
  const status = await waitFor("a first answer", () => machine.console.call("status"), { limit_ms: 180_000, every_ms: 20 });
  early = { status, serial: machine.serial() };
  await machine.ready();
}, 900_000);

afterAll(() => machine?.kill());

test("the first answer comes over the serial line before the console is there", async () => {
  expect(early.status).toMatchObject({ state: "booting", mode: "machine", degradations: [] });
  expect(early.serial).not.toContain("aios: console ready");
  const { marks, boot_id } = await machine.console.call("boot");
  expect(early.status.boot_id).toBe(boot_id);
  expect(early.status.uptime_ms).toBeLessThan(marks["init"] ?? 0);
});

test("all services run, and nothing is degraded", async () => {
  await allReady(machine.console, patient, services_with_strategic);
  const status = await machine.console.call("status");
  expect(status.degradations).toEqual([]);
  expect(status.state).toBe("running");
  expect(status.mode).toBe("machine");
  expect(status.watchdog.device).toBe("/dev/watchdog0");
  expect(status.data.persistent).toBe(true);
});

test("the data partition was made, and grown to its disk", async () => {
  const { data } = await machine.console.call("status");
  expect(data.size_bytes).toBeGreaterThan(400 * 1024 * 1024);
  const mounts = (await machine.sh("cat /proc/1/mounts")).out;
  expect(mounts).toMatch(/ \/var\/lib\/aios ext4 rw,/);
  expect(mounts).toMatch(/ \/ erofs ro,/);
});

test("the cgroup tree is there, with limits", async () => {
  const tree = (await machine.sh("mkdir -p /cg; mount -t cgroup2 none /cg; cd /cg; ls -d */; cat system/console/memory.max")).out;
  for (const slice of ["init/", "system/", "tiers/", "work/"]) expect(tree).toContain(slice);
  expect(tree).toContain(String(256 * 1024 * 1024));
});

test("sysctls, hostname and loopback are set", async () => {
  const out = (await machine.sh("cat /proc/sys/kernel/hostname /proc/sys/kernel/dmesg_restrict /sys/class/net/lo/flags")).out.split("\n");
  expect(out.slice(0, 2)).toEqual(["aios", "1"]);
  expect(Number(out[2]) & 1).toBe(1);
});

test("every kernel parameter of the table holds", async () => {
  const paths = sysctls.map(({ key }) => `/proc/sys/${key}`);
  const script = paths.map((path) => `echo "$([ -e ${path} ] && cat ${path} || echo none)"`).join("\n");
  const found = (await machine.sh(script)).out.trimEnd().split("\n");
  const read = (text = ""): string => text.split(/\s+/).join(" ");
  const wrong = sysctls.filter(({ value }, at) => found[at] !== "none" && read(found[at]) !== value);
  expect(wrong.map(({ key }) => key)).toEqual([]);
  expect(found.filter((text) => text === "none").length).toBeLessThan(6);
});

test("the hardware inventory names what QEMU was given", async () => {
  const hardware = await machine.console.call("hardware");
  expect(hardware.cpu.logical).toBe(2);
  expect(hardware.disks.length).toBeGreaterThanOrEqual(2);
  expect(hardware.nics.map(({ driver }) => driver)).toContain("virtio_net");
  expect(hardware.memory.total_bytes).toBeGreaterThan(800 * 1024 * 1024);
});

test("DHCP gives an address", async () => {
  await eventWhere(machine.console, "net.address", ({ facts }) => facts.address.startsWith("10.0.2.") && facts.added, patient);
});

test("our DHCP hook tells PID 1 of the lease", async () => {
  await eventWhere(machine.console, "net.lease", ({ facts }) => facts.address?.startsWith("10.0.2.") === true, patient);
});

test("what listens is declared: nothing to repair in a system as it comes", async () => {
  const { structuredContent } = await new Aiosctl(machine.console_socket).done("sec.scan", { checks: ["listening"] });
  expect(structuredContent?.["findings"]).toEqual([]);
});

describe("hot-plug", () => {
  test("a disk comes and goes", async () => {
    const file = join(machine.folder, "plugged.raw");
    makeBlankDisk(file, 64);
    await inject.plugDisk(machine.qmp, "hot-disk", file, "slot0");
    const added = await eventWhere(machine.console, "device.added", ({ facts }) => facts.subsystem === "block", patient);
    const listed = async () => (await machine.console.call("hardware")).disks.find(({ name }) => name === added.facts.name);
    expect((await waitFor("the disk in the inventory", listed, patient)).size_bytes).toBe(64 * 1024 * 1024);
    await inject.unplug(machine.qmp, "hot-disk");
    await eventWhere(machine.console, "device.removed", ({ facts }) => facts.name === added.facts.name, patient);
  });

  test("an NVMe drive comes, is well, and says when it is not", async () => {
    const file = join(machine.folder, "nvme.raw");
    makeBlankDisk(file, 64);
    await inject.plugNvme(machine.qmp, "hot-nvme", file, "slot3");
    await eventWhere(machine.console, "device.added", ({ facts }) => facts.name === "nvme0n1", patient);
    const aiosctl = new Aiosctl(machine.console_socket);
    const drive = async (name: string) => {
      const { structuredContent } = await aiosctl.done("sys.drives", {});
      const { drives } = z.object({ drives: z.array(z.looseObject({ name: z.string() })) }).parse(structuredContent);
      return drives.find((one) => one.name === name);
    };
    const size_bytes = 64 * 1024 * 1024;
    expect(await drive("nvme0n1")).toMatchObject({
      kind: "nvme",
      size_bytes,
      serial: "hot-nvme",
      health: "good",
      findings: [],
      worn_ratio: 0,
    });
    await inject.warnByNvme(machine.qmp, "hot-nvme", 0b101);
    expect(await drive("nvme0n1")).toMatchObject({
      health: "failing",
      findings: ["its spare blocks are below the threshold", "it is unreliable because of errors of the medium or of its own"],
    });
    await inject.unplug(machine.qmp, "hot-nvme");
    await eventWhere(machine.console, "device.removed", ({ facts }) => facts.name === "nvme0n1", patient);
    expect(await drive("nvme0n1")).toBeUndefined();
  }, 900_000);

  test("a network card comes and goes", async () => {
    await inject.plugNic(machine.qmp, "hot-nic", "slot1");
    const added = await eventWhere(machine.console, "device.added", ({ facts }) => facts.subsystem === "net", patient);
    await eventWhere(machine.console, "net.link", ({ facts }) => facts.interface === added.facts.name && facts.up, patient);
    await inject.unplug(machine.qmp, "hot-nic");
    await eventWhere(machine.console, "device.removed", ({ facts }) => facts.name === added.facts.name, patient);
  });

  test("a USB device comes and goes", async () => {
    await inject.plugUsb(machine.qmp, "hot-usb", "usb-tablet");
    const added = await eventWhere(machine.console, "device.added", ({ facts }) => facts.subsystem === "usb", patient);
    await inject.unplug(machine.qmp, "hot-usb");
    await eventWhere(machine.console, "device.removed", ({ facts }) => facts.path === added.facts.path, patient);
  });
});

test("a SATA disk tells how it is; a virtual one has nothing to tell", async () => {
  const { structuredContent } = await new Aiosctl(machine.console_socket).done("sys.drives", {});
  expect(structuredContent?.["drives"]).toMatchObject([
    { name: "sda", kind: "ata or scsi", model: "QEMU HARDDISK", serial: "sata", health: "good", bad_sectors: 0 },
    { name: expect.stringMatching(/^vd/), kind: "virtual", health: "unknown" },
    { name: expect.stringMatching(/^vd/), kind: "virtual", health: "unknown" },
  ]);
});

test("a link that goes down is seen, and decided on", async () => {
  await inject.setLink(machine.qmp, "net0", false);
  await eventWhere(machine.console, "net.link", ({ facts }) => !facts.carrier, patient);
  await decisionWhere(machine.console, "about the link", ({ rule }) => rule === "link-down", patient);
  await inject.setLink(machine.qmp, "net0", true);
});

test("a service that is killed is back, and why is on record", async () => {
  const before = await serviceStatus(machine.console, "strategic");
  await machine.sh(`kill -9 ${before.pid}`);
  await readyAgain(machine.console, "strategic", before.pid, patient);
  const exited = await eventWhere(machine.console, "service.exited", ({ facts }) => facts.pid === before.pid, patient);
  const decision = await decisionWhere(machine.console, "about it", ({ trigger }) => trigger.id === exited.id, patient);
  expect(decision.rule).toBe("service-dead");
});

test("a service that hangs is killed and restarted", async () => {
  const before = await serviceStatus(machine.console, "strategic");
  await machine.sh(`for p in /proc/[0-9]*; do grep -q strategic $p/cmdline 2>/dev/null && kill -STOP \${p#/proc/}; done`);
  await eventWhere(machine.console, "service.hung", ({ facts }) => facts.service === "strategic", patient);
  expect((await readyAgain(machine.console, "strategic", before.pid, patient)).last_exit?.cause).toBe("hang");
});

test("1,000 orphans leave no zombie", async () => {
  await machine.sh("i=0; while [ $i -lt 1000 ]; do (exit 5 &); i=$((i + 1)); done", 600_000);
  const zombies = "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l";
  await waitFor("no zombies", async () => (await machine.sh(zombies)).out.trim() === "0", patient);
}, 900_000);

test("a step of the clock is seen", async () => {
  await machine.sh("date -s @$(($(date +%s) + 7200))");
  const stepped = await eventWhere(machine.console, "clock.step", ({ facts }) => facts.by_ms > 7_000_000, patient);
  expect(stepped.facts.by_ms).toBeLessThan(7_400_000);
});

test("an NMI does no harm", async () => {
  await inject.injectNmi(machine.qmp);
  await Bun.sleep(500);
  expect((await machine.console.call("status")).state).not.toBe("maintenance");
});

test("memory taken away by the balloon is borne", async () => {
  await inject.balloonTo(machine.qmp, 400);
  await Bun.sleep(3000);
  expect((await machine.console.call("services")).filter(({ state }) => state === "ready").length).toBeGreaterThanOrEqual(
    services_with_strategic.length,
  );
  await inject.balloonTo(machine.qmp, 1024);
});

test("a data disk that fills is noticed", async () => {
  // above the rule's 85 %, and with room for memory to go on writing
  await machine.sh("dd if=/dev/zero of=/proc/1/root/var/lib/aios/filler bs=1M count=420 2>/dev/null");
  try {
    const decision = await decisionWhere(machine.console, "about the disk", ({ rule }) => rule === "disk-filling", patient);
    expect(decision.reason).toContain("/var/lib/aios is ");
  } finally {
    await machine.sh("rm /proc/1/root/var/lib/aios/filler");
  }
}, 900_000);

test("a process that the kernel ends for want of memory is seen, and decided on", async () => {
  const eat = "echo 0 > /cg/work/greedy/cgroup.procs; exec tail /dev/zero";
  await machine.sh(`mkdir -p /cg/work/greedy; echo 20M > /cg/work/greedy/memory.max; sh -c '${eat}' & wait $!; true`);
  await eventWhere(machine.console, "kernel.oom-kill", ({ facts }) => facts.killed === "tail" || facts.killed === "busybox", patient);
  await decisionWhere(machine.console, "about the kill", ({ rule }) => rule === "oom-kill", patient);
}, 900_000);

test("the watchdog is petted", async () => {
  const { watchdog } = await machine.console.call("status");
  expect(watchdog.petted_ms_ago ?? Number.NaN).toBeLessThan((watchdog.timeout_s ?? 0) * 1000);
  expect(machine.qmp.count("WATCHDOG")).toBe(0);
});

test("kexec is refused where no kernel lies, and everything goes on", async () => {
  const refusal = "there is no EFI system partition";
  await expect(machine.console.call("kexec", { reason: "to see it refused" })).rejects.toThrow(refusal);
  expect((await machine.console.call("status")).state).not.toBe("stopping");
});

test("what the services do not touch is taken from them, and lies compressed in memory", async () => {
  const { swap_bytes, total_bytes } = (await machine.console.call("hardware")).memory;
  expect(swap_bytes / total_bytes).toBeCloseTo(0.5, 1);
  // mm_stat (zram.rst): bytes before and after they were compressed
  const stored = async (): Promise<number[]> => (await machine.sh("cat /sys/block/zram0/mm_stat")).out.trim().split(/\s+/).map(Number);
  const [before = 0, after = 0] = await waitFor(
    "memory to be taken",
    async () => ((await stored())[0] ?? 0) > 1024 * 1024 && stored(),
    patient,
  );
  expect(after).toBeLessThan(before / 2);
  const kept = "cat /cg/init/memory.swap.current /cg/work/memory.swap.max";
  expect((await machine.sh(`mkdir -p /cg; mount -t cgroup2 none /cg 2>/dev/null; ${kept}`)).out).toBe("0\n0\n");
});

test("what PID 1 and all services are made of counts for PID 1's cgroup, not for the root of the tree", async () => {
  const mapped = "sed -n 's/^file_mapped //p'";
  const { out } = await machine.sh(
    `mkdir -p /cg; mount -t cgroup2 none /cg 2>/dev/null; ${mapped} /cg/memory.stat; for s in init system tiers work; do ${mapped} /cg/$s/memory.stat; done`,
  );
  const [all = 0, ...slices] = out.trim().split("\n").map(Number);
  expect(slices).toHaveLength(4);
  const of_the_root = all - slices.reduce((sum, bytes) => sum + bytes, 0);
  expect(of_the_root).toBeLessThan(4 * 1024 * 1024);
  expect(slices[0]).toBeGreaterThan(8 * 1024 * 1024);
});

/** With swap in use, on the data partition and on a disk too: a file system that holds swap cannot be unmounted. */
test("the power button powers off, and leaves a clean file system", async () => {
  const swap_disk = join(machine.folder, "swap.raw");
  makeBlankDisk(swap_disk, 64);
  const earlier = (await machine.console.list("events", { query: { kind: "device.added", lines: "1000" } })).map(({ id }) => id);
  await inject.plugDisk(machine.qmp, "swap-disk", swap_disk, "slot2");
  const added = await eventWhere(
    machine.console,
    "device.added",
    ({ id, facts }) => facts.subsystem === "block" && !earlier.includes(id),
    patient,
  );
  const file = "/proc/1/root/var/lib/aios/swap";
  const areas = [file, `/dev/${added.facts.name}`];
  await machine.sh(`dd if=/dev/zero of=${file} bs=1M count=32 2>/dev/null; chmod 600 ${file}`);
  const on = await machine.sh(`${areas.map((area) => `mkswap ${area} && swapon ${area}`).join(" && ")} && grep -c ^/ /proc/swaps`);
  expect(on.out).toEndWith("3\n");
  const before = machine.serial().length;
  await inject.pressPowerButton(machine.qmp);
  await within("the machine to power off", 180_000, machine.ended, () => machine.serial().slice(-3000));
  const said = machine.serial().slice(before);
  expect(said).toContain("shutdown: swap: 3 areas out of use, 0 in use");
  expect(said).toContain("shutdown: file systems: 1 unmounted, 0 in use");
  const partition = join(machine.folder, "data.ext4");
  await extractDataPartition(machine.disk ?? "", partition);
  const found = await isCleanFileSystem(partition);
  expect(found.clean, found.said).toBe(true);
});
