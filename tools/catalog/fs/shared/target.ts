/** What a call holds between resolving and its end. */

import type { Resource } from "../../../../contracts/tool.ts";
import { quote } from "../../../paths/path-text.ts";
import type { Occupied, Place } from "../../../paths/place.ts";
import type { Target } from "../../../tool.ts";
import { ToolError } from "../../../tool.ts";
import { SpeciesNames } from "./fields.ts";

export interface PlaceTarget<P extends Place = Place> extends Target {
  readonly place: P;
}

/** One place and what the policies see of it. */
export function targetOf<P extends Place>(place: P, resources: readonly Resource[]): PlaceTarget<P> {
  return { place, resources, close: () => place.close() };
}

/** Opens a further place; when that fails, lets go of what is open already. */
export function openOr<P extends Place>(letGo: () => void, open: () => P): P {
  try {
    return open();
  } catch (error) {
    letGo();
    throw error;
  }
}

/** Closes the place when `check` throws. */
export function checked<P extends Place>(place: P, check: (place: P) => void): P {
  try {
    check(place);
    return place;
  } catch (error) {
    place.close();
    throw error;
  }
}

/** @throws {ToolError} unless it is of this type. @param what `reading "/etc/x"` */
export function demandType(place: Occupied, type: "file" | "directory", what: string): void {
  if (place.status.type !== type)
    throw new ToolError(`${what} failed: ${quote(place.path)} is ${SpeciesNames[place.status.type]}, not ${SpeciesNames[type]}`);
}

/** Where files are windows on the kernel, and are not replaced. */
export const kernel_windows: ReadonlySet<string> = new Set([
  ...["proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "configfs", "bpf", "pstore", "efivarfs", "mqueue"],
  ...["devpts", "binfmt_misc", "fusectl", "rpc_pipefs", "selinuxfs", "nsfs"],
]);

/** @throws {ToolError} on file systems that store nothing, and on those mounted read-only */
export function demandStorage(place: Place, what: string): void {
  const { type, options, super_options, point } = place.mount;
  if (kernel_windows.has(type))
    throw new ToolError(`${what} failed: ${quote(point)} is ${type}, a window on the kernel; sys.sysctl sets what may be set`);
  if (options.includes("ro") || super_options.includes("ro"))
    throw new ToolError(`${what} failed: ${quote(point)} is mounted read-only; choose a place on the data partition, below /var/lib/aios`);
}
