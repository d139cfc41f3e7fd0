/**
 * The USB bus finds its devices by itself, some time after the kernel has started, and tells nobody when it is through. A
 * stick that was in the machine at power-on shall count as there: so the boot waits, for as short as it can be known.
 */

import { existsSync } from "node:fs";
import { names, readText } from "./files.ts";
import type { BootContext } from "./phase.ts";

/** Hubs look at their ports within this time of the kernel's start. */
export const first_look_ms = 1_500;
/** For what the bus has begun with: a slow stick takes a second for its medium, and the kernel waits one more before it asks. */
export const settle_limit_ms = 6_000;
const look_interval_ms = 50;

const mass_storage = "08";
/** States of a port (drivers/usb/core/hub.c: port_dev->state) in which a device is being found. */
const port_busy: ReadonlySet<string> = new Set(["attached", "powered", "reconnecting", "default", "addressed"]);

/** Returns when no device is on its way any more, or the limit is over. */
export async function settleUsb(boot: Pick<BootContext, "sys">): Promise<void> {
  if (!hasUsb("")) return;
  const early_ms = first_look_ms - boot.sys.clock.nowMs("boottime");
  if (early_ms > 0) await Bun.sleep(early_ms);
  for (const end_ms = performance.now() + settle_limit_ms; performance.now() < end_ms; ) {
    if (onTheWay("").length === 0) return;
    await Bun.sleep(look_interval_ms);
  }
}

function hasUsb(root: string): boolean {
  return names(`${root}/sys/bus/usb/devices`).length > 0;
}

/** Ports at which a device is being found, and mass storage of which the kernel does not know yet what disks it has. */
export function onTheWay(root: string): string[] {
  const bus = `${root}/sys/bus/usb/devices`;
  // interfaces: `1-2:1.0`; those of hubs have a folder for each port
  return names(bus)
    .filter((name) => name.includes(":"))
    .flatMap((name) => {
      const folder = `${bus}/${name}`;
      const ports = names(folder).filter((port) => /-port\d+$/.test(port) && port_busy.has(readText(`${folder}/${port}/state`) ?? ""));
      const diskless = readText(`${folder}/bInterfaceClass`) === mass_storage && !hasDisk(folder);
      return diskless ? [...ports, name] : ports;
    });
}

/** `host0/target0:0:0/0:0:0:0/block`: there as soon as the kernel has asked the device what it is. */
function hasDisk(storage: string): boolean {
  const inside = (folder: string, prefix: string): string[] =>
    names(folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => `${folder}/${name}`);
  return inside(storage, "host")
    .flatMap((host) => inside(host, "target"))
    .flatMap((target) => names(target).map((name) => `${target}/${name}`))
    .some((unit) => existsSync(`${unit}/block`));
}
