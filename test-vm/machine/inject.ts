/** Things that happen to a machine from outside, by QEMU's control socket. */

import type { Qmp } from "./qmp.ts";

/** A disk in a slot for hot-plugging. */
export async function plugDisk(qmp: Qmp, id: string, file: string, slot: string): Promise<void> {
  await qmp.execute("blockdev-add", { driver: "raw", "node-name": id, file: { driver: "file", filename: file } });
  await qmp.execute("device_add", { driver: "virtio-blk-pci", id, drive: id, bus: slot, serial: id });
}

/** An NVMe drive in a slot for hot-plugging. */
export async function plugNvme(qmp: Qmp, id: string, file: string, slot: string): Promise<void> {
  await qmp.execute("blockdev-add", { driver: "raw", "node-name": id, file: { driver: "file", filename: file } });
  await qmp.execute("device_add", { driver: "nvme", id, drive: id, bus: slot, serial: id });
}

/** From now on the drive says that something is wrong with it. @param bits `critical_warning` of its health log */
export async function warnByNvme(qmp: Qmp, id: string, bits: number): Promise<void> {
  await qmp.execute("qom-set", { path: `/machine/peripheral/${id}`, property: "smart_critical_warning", value: bits });
}

/** A network card whose network leads nowhere. */
export async function plugNic(qmp: Qmp, id: string, slot: string): Promise<void> {
  await qmp.execute("netdev_add", { type: "user", id: `net-${id}`, restrict: true });
  await qmp.execute("device_add", { driver: "virtio-net-pci", id, netdev: `net-${id}`, bus: slot });
}

export async function plugUsb(qmp: Qmp, id: string, driver: string): Promise<void> {
  await qmp.execute("device_add", { driver, id, bus: "usb.0" });
}

/** A USB stick. */
export async function plugStick(qmp: Qmp, id: string, file: string): Promise<void> {
  await qmp.execute("blockdev-add", { driver: "raw", "node-name": `${id}-medium`, file: { driver: "file", filename: file } });
  await qmp.execute("device_add", { driver: "usb-storage", id, drive: `${id}-medium`, bus: "usb.0" });
}

/** Asks the guest to let go of a device; DEVICE_DELETED comes when it has. */
export async function unplug(qmp: Qmp, id: string): Promise<void> {
  await qmp.execute("device_del", { id });
}

export async function pressPowerButton(qmp: Qmp): Promise<void> {
  await qmp.execute("system_powerdown");
}

export async function pressCtrlAltDel(qmp: Qmp): Promise<void> {
  const keys = ["ctrl", "alt", "delete"].map((data) => ({ type: "qcode", data }));
  await qmp.execute("send-key", { keys, "hold-time": 200 });
}

export async function injectNmi(qmp: Qmp): Promise<void> {
  await qmp.execute("inject-nmi");
}

/** Takes memory away from the guest, or gives it back. */
export async function balloonTo(qmp: Qmp, mebibytes: number): Promise<void> {
  await qmp.execute("balloon", { value: mebibytes * 1024 * 1024 });
}

export async function setLink(qmp: Qmp, id: string, up: boolean): Promise<void> {
  await qmp.execute("set_link", { name: id, up });
}
