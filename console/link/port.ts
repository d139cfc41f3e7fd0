/** The virtio-serial port of the console, where the machine has one (Documentation/ABI/testing/sysfs-class-virtio-ports). */

import { constants, openSync, readdirSync, readFileSync } from "node:fs";

const port_name = "aios.console";

/** The device of the port with our name, or null. */
export function findPort(sys = "/sys/class/virtio-ports", dev = "/dev"): string | null {
  for (const port of list(sys)) if (read(`${sys}/${port}/name`) === port_name) return `${dev}/${port}`;
  return null;
}

/** @throws when it cannot be opened; a port takes one opener at a time */
export function openPort(device: string): number {
  return openSync(device, constants.O_RDWR | constants.O_NONBLOCK);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}
