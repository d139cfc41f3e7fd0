/** Devices that come and go while the system runs. What is there at boot needs no telling: the kernel has all its drivers. */

import { basename } from "node:path";
import type { Uevent } from "../../sys/netlink/uevent.ts";
import { stickPlugged, stickPulled } from "./config-stick.ts";
import { reasonOf } from "./files.ts";
import { readHardware } from "./hardware.ts";
import type { BootContext, Phase } from "./phase.ts";
import { lookForPowerButtons } from "./power-button.ts";
import { done } from "./result.ts";

export const hotplug: Phase = {
  name: "hotplug",
  what: "Disks, network devices and USB devices that are plugged in or pulled out",
  modes: "machine",
  limit_ms: 1000,
  run: async (boot) => {
    boot.sys.netlink.watchDevices((uevent) => {
      try {
        takeUevent(boot, uevent);
      } catch (error) {
        boot.log("error", `following a device failed: ${reasonOf(error)}`);
      }
    });
    return done("listening for uevents");
  },
};

/** @param uevent null: the kernel dropped some, which is only logged */
export function takeUevent(boot: BootContext, uevent: Uevent | null): void {
  if (uevent === null) {
    boot.log("warning", "more devices came and went than could be followed: some are not told");
    return;
  }
  const { action, path, subsystem, variables } = uevent;
  if (subsystem === "input" && action === "add" && variables.has("DEVNAME")) lookForPowerButtons(boot);
  if (action !== "add" && action !== "remove") return;
  const device = variables.get("DEVNAME");
  if (subsystem === "block" && device !== undefined) (action === "add" ? stickPlugged : stickPulled)(boot, device);
  const name = told(uevent);
  if (name === null) return;
  boot.emit(action === "add" ? "device.added" : "device.removed", "notice", { subsystem, path, name });
  renewInventory(boot);
}

/** Milliseconds: one device is several uevents, and its attributes come with the last. */
const settle_ms = 200;
const renewing = new WeakSet<BootContext>();

function renewInventory(boot: BootContext): void {
  if (boot.state.hardware === null || renewing.has(boot)) return; // the phase that makes the first one comes later
  renewing.add(boot);
  setTimeout(() => {
    renewing.delete(boot);
    boot.state.hardware = readHardware("");
  }, settle_ms);
}

/** The name by which people know it; null for what is a part of another device, or of no interest. */
function told({ subsystem, variables, path }: Uevent): string | null {
  const type = variables.get("DEVTYPE");
  if (subsystem === "block" && type === "disk") return variables.get("DEVNAME") ?? basename(path);
  if (subsystem === "net") return variables.get("INTERFACE") ?? basename(path);
  if (subsystem === "usb" && type === "usb_device") return basename(path);
  return null;
}
