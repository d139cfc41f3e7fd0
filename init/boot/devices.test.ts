/** Hotplug, power button, hardware inventory, cgroups, kernel parameters: over trees and messages that the tests make. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Hardware } from "../../contracts/init.ts";
import { fakeSystem, type Step } from "../../sys/fake.ts";
import { decodeUevent } from "../../sys/netlink/uevent.ts";
import { applySliceLimits, makeTree, memoryBytes, slices } from "./cgroups.ts";
import { hardwareInventory, readHardware } from "./hardware.ts";
import { takeUevent } from "./hotplug.ts";
import { hasKey, holdsPowerPress, installCtrlAltDel, onPowerButton, powerButton } from "./power-button.ts";
import { testBoot } from "./testing.ts";
import { applySysctls, process_limits, processLimits } from "./tunables.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "aios-tree-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function lay(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

describe("hotplug", () => {
  const uevent = (text: string) => decodeUevent(Buffer.from(text.replaceAll("|", "\0")));

  test("disks, network and USB devices are told when they come and go; their parts are not", () => {
    const boot = testBoot(fakeSystem([]));
    takeUevent(boot, uevent("add@/devices/x/block/vdb|SUBSYSTEM=block|DEVTYPE=disk|DEVNAME=vdb|"));
    takeUevent(boot, uevent("add@/devices/x/block/vdb/vdb1|SUBSYSTEM=block|DEVTYPE=partition|DEVNAME=vdb1|"));
    takeUevent(boot, uevent("remove@/devices/y/net/eth1|SUBSYSTEM=net|INTERFACE=eth1|"));
    takeUevent(boot, uevent("add@/devices/usb1/1-1|SUBSYSTEM=usb|DEVTYPE=usb_device|"));
    takeUevent(boot, uevent("add@/devices/usb1/1-1/1-1:1.0|SUBSYSTEM=usb|DEVTYPE=usb_interface|"));
    takeUevent(boot, uevent("change@/devices/x/block/vdb|SUBSYSTEM=block|DEVTYPE=disk|DEVNAME=vdb|"));
    takeUevent(boot, null);
    expect(boot.told.events.map(({ kind, facts }) => [kind, "name" in facts ? facts.name : ""])).toEqual([
      ["device.added", "vdb"],
      ["device.removed", "eth1"],
      ["device.added", "1-1"],
    ]);
    expect(boot.told.logs).toHaveLength(1);
  });
});

describe("power button", () => {
  test("a device has the key when its bit is set", () => {
    expect(hasKey("10000000000000 0\n", 116)).toBe(true); // what the ACPI button shows
    expect(hasKey("8000 10000000000000 0\n", 116)).toBe(true);
    expect(hasKey("fffffffffffffffe\n", 116)).toBe(false);
    expect(hasKey("", 116)).toBe(false);
  });

  test("a press of it is a press; a release, a repeat and another key are not", () => {
    const input = (type: number, code: number, value: number): Buffer => {
      const bytes = Buffer.alloc(24);
      bytes.writeUInt16LE(type, 16);
      bytes.writeUInt16LE(code, 18);
      bytes.writeInt32LE(value, 20);
      return bytes;
    };
    expect(holdsPowerPress(Buffer.concat([input(0, 0, 0), input(1, 116, 1)]))).toBe(true);
    for (const other of [input(1, 116, 0), input(1, 116, 2), input(1, 30, 1), input(4, 116, 1)]) expect(holdsPowerPress(other)).toBe(false);
  });

  test("it powers off; Ctrl-Alt-Del reboots", () => {
    const boot = testBoot(fakeSystem([]));
    const before = process.listeners("SIGINT");
    installCtrlAltDel(boot);
    const ours = process.listeners("SIGINT").find((each) => !before.includes(each));
    onPowerButton(boot);
    ours?.("SIGINT");
    if (ours !== undefined) process.off("SIGINT", ours);
    expect(boot.told.events.map(({ facts }) => facts)).toEqual([{ key: "power" }, { key: "ctrl-alt-del" }]);
    expect(boot.told.shutdowns.map((text) => text.split(":")[0])).toEqual(["poweroff", "reboot"]);
  });
});

test("the kernel is told to leave Ctrl-Alt-Del to PID 1", async () => {
  const sys = fakeSystem([{ call: "power.reboot", args: ["cad-off"] }]);
  const before = process.listeners("SIGINT");
  expect(await powerButton.run(testBoot(sys))).toMatchObject({ outcome: "done" });
  for (const each of process.listeners("SIGINT").filter((found) => !before.includes(found))) process.off("SIGINT", each);
  sys.done();
  const refused = testBoot(fakeSystem([{ call: "power.reboot", fails: "EPERM" }]));
  expect(await powerButton.run(refused)).toMatchObject({ outcome: "degraded", detail: expect.stringContaining("EPERM") });
  for (const each of process.listeners("SIGINT").filter((found) => !before.includes(found))) process.off("SIGINT", each);
});

describe("hardware inventory", () => {
  test("a machine as sysfs shows it", () => {
    lay({
      "proc/cpuinfo": "processor\t: 0\nmodel name\t: Test CPU\nflags\t\t: fpu sse hypervisor\n\nprocessor\t: 1\n",
      "proc/meminfo": "MemTotal:  2048 kB\nSwapTotal:  1024 kB\n",
      "sys/devices/system/cpu/cpu0/topology/core_id": "0",
      "sys/devices/system/cpu/cpu0/topology/physical_package_id": "0",
      "sys/devices/system/cpu/cpu1/topology/core_id": "0",
      "sys/devices/system/cpu/cpu1/topology/physical_package_id": "0",
      "sys/devices/system/node/node0/cpulist": "0-1\n",
      "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal:  2048 kB\n",
      "sys/block/vda/size": "2048\n",
      "sys/block/vda/device/model": "DISK\x1b[31m X\n",
      "sys/block/vda/queue/rotational": "1\n",
      "sys/block/loop0/size": "99\n",
      "sys/class/net/eth0/address": "52:54:00:12:34:56\n",
      "sys/class/net/eth0/mtu": "1500\n",
      "sys/class/net/eth0/carrier": "1\n",
      "sys/class/net/eth0/speed": "-1\n",
      "sys/class/net/eth0/device/uevent": "",
      "sys/class/net/lo/mtu": "65536\n",
      "sys/bus/pci/devices/0000:00:02.0/class": "0x030000\n",
      "sys/bus/pci/devices/0000:00:02.0/vendor": "0x1234\n",
      "sys/bus/pci/devices/0000:00:02.0/device": "0x1111\n",
      "sys/class/hwmon/hwmon0/name": "coretemp\n",
      "sys/class/hwmon/hwmon0/temp1_input": "45500\n",
      "sys/class/hwmon/hwmon0/temp1_label": "Package\n",
      "sys/class/hwmon/hwmon0/temp1_max": "99000\n",
      "sys/class/tpm/tpm0/tpm_version_major": "2\n",
      "sys/class/dmi/id/bios_vendor": "SeaBIOS\n",
      "sys/class/dmi/id/sys_vendor": "QEMU\n",
      "sys/class/dmi/id/product_name": "Standard PC\n",
    });
    symlinkSync("../../../drivers/virtio_net", join(root, "sys/class/net/eth0/device/driver"));
    const hardware = readHardware(root);
    expect(Hardware.parse(hardware)).toEqual({
      cpu: { model: "Test CPU", logical: 2, cores: 1, sockets: 1, flags: ["fpu", "sse", "hypervisor"] },
      memory: { total_bytes: 2048 * 1024, swap_bytes: 1024 * 1024 },
      numa: [{ node: 0, cpus: "0-1", memory_bytes: 2048 * 1024 }],
      disks: [{ name: "vda", model: "DISK [31m X", size_bytes: 1024 * 1024, removable: false, rotational: true }],
      nics: [{ name: "eth0", mac: "52:54:00:12:34:56", driver: "virtio_net", mtu: 1500, carrier: true, speed_mbps: null }],
      gpus: [{ address: "0000:00:02.0", vendor: "0x1234", device: "0x1111", driver: "" }],
      sensors: [{ chip: "coretemp", label: "Package", kind: "temperature", value: 45.5, unit: "°C" }],
      tpm: { present: true, version: "2" },
      firmware: { kind: "bios", vendor: "SeaBIOS", version: "", board: "QEMU Standard PC" },
      virtualisation: "QEMU",
    });
  });

  test("the phase keeps the inventory for those who ask", async () => {
    const boot = testBoot(fakeSystem([]));
    expect(await hardwareInventory.run(boot)).toMatchObject({ outcome: "done" });
    expect(boot.state.hardware?.cpu.logical).toBeGreaterThan(0);
  });

  test("an empty tree and this machine both give an inventory", () => {
    expect(Hardware.parse(readHardware(root)).virtualisation).toBe("none");
    expect(Hardware.parse(readHardware("")).memory.total_bytes).toBeGreaterThan(0);
  });
});

describe("cgroups", () => {
  test("slices with controllers and limits where the kernel has them", () => {
    lay({
      "cgroup.controllers": "cpu memory pids io",
      "cgroup.subtree_control": "",
      "tiers/memory.max": "max",
      "tiers/memory.high": "max",
      "system/cpu.weight": "100",
      "init/cgroup.procs": "",
    });
    const missing = makeTree(root, 1000 * 4096, 1);
    expect(missing).toEqual([]);
    expect(readFileSync(join(root, "init/cgroup.procs"), "utf8")).toBe("1");
    expect(readFileSync(join(root, "cgroup.subtree_control"), "utf8")).toBe("+io"); // the last of the four
    expect(readFileSync(join(root, "tiers/memory.max"), "utf8")).toBe(String(900 * 4096));
    expect(readFileSync(join(root, "tiers/memory.high"), "utf8")).toBe(String(800 * 4096));
    expect(readFileSync(join(root, "system/cpu.weight"), "utf8")).toBe("400");
    expect(applySliceLimits(root, { system: { cpu_weight: 7 }, tiers: {}, work: { pids_max: 10 } })).toEqual([
      "limits.work: this kernel has no pids.max",
    ]);
    expect(readFileSync(join(root, "system/cpu.weight"), "utf8")).toBe("7");
  });

  test("without controllers the slices are there, and what is missing is said", () => {
    lay({ "cgroup.controllers": "\n", "init/cgroup.procs": "" });
    expect(makeTree(root, 0, 1)).toEqual(["no controller cpu, memory, pids, io"]);
    expect(slices.filter((slice) => !existsSync(join(root, slice)))).toEqual([]);
    expect(memoryBytes("MemTotal:  4 kB\n")).toBe(4096);
  });
});

describe("tables", () => {
  test("parameters are written, those that are right or not there are not, refusals are said", () => {
    lay({ "a/one": "0\n", "a/two": "4\t4\t1\t4\n" });
    mkdirSync(join(root, "a/folder"));
    const why = "";
    const refused = applySysctls(root, [
      { key: "a/one", value: "1", why },
      { key: "a/two", value: "4 4 1 4", why },
      { key: "a/none", value: "1", why },
      { key: "a/folder", value: "1", why },
    ]);
    expect(readFileSync(join(root, "a/one"), "utf8")).toBe("1\n");
    expect(readFileSync(join(root, "a/two"), "utf8")).toBe("4\t4\t1\t4\n");
    expect(refused).toHaveLength(1);
  });

  test("limits of processes are set; one that is refused is said and does not stop the others", async () => {
    const script = process_limits.flatMap(({ resource, soft, hard }, index): Step[] => [
      { call: "host.limit", args: [resource], returns: { soft: 0, hard: "infinity" } },
      { call: "host.setLimit", args: [resource, { soft, hard }], ...(index === 1 ? { fails: "EPERM" } : {}) },
    ]);
    const sys = fakeSystem(script);
    expect(await processLimits.run(testBoot(sys))).toMatchObject({ outcome: "degraded", detail: expect.stringContaining("EPERM") });
    sys.done();
  });

  test("core files are forbidden, and sockets enough", () => {
    const of = (wanted: string) => process_limits.find(({ resource }) => resource === wanted);
    expect(of("core")).toMatchObject({ soft: 0, hard: 0 });
    expect(Number(of("nofile")?.soft)).toBeGreaterThanOrEqual(65_536);
  });

  test("a hard limit is never raised: what was given is enough", async () => {
    const script = process_limits.flatMap(({ resource, soft }): Step[] => [
      { call: "host.limit", returns: { soft: 10, hard: 20 } },
      { call: "host.setLimit", args: [resource, { soft: Math.min(Number(soft), 20), hard: resource === "core" ? 0 : 20 }] },
    ]);
    const sys = fakeSystem(script);
    expect(await processLimits.run(testBoot(sys))).toMatchObject({ outcome: "done" });
    sys.done();
  });
});
