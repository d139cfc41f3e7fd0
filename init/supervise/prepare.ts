/** What a service needs on the running system before it starts. */

import { accessSync, chownSync, constants, readdirSync, readFileSync } from "node:fs";
import { makeCgroup } from "../../sys/cgroup.ts";
import { serviceCgroup } from "../boot/cgroups.ts";
import { argvOf } from "./argv.ts";
import { makeNotifyFolder, makeServiceFolders } from "./folders.ts";
import type { ServiceSpec } from "./spec.ts";

export interface Prepared {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cgroup: string | null;
  readonly notify_socket: string | null;
}

/** @throws when a folder cannot be made */
export function prepare(spec: ServiceSpec): Prepared {
  makeServiceFolders(spec);
  const notify_folder = spec.ready === "notify" ? makeNotifyFolder(spec.name, spec.gid) : null;
  const cgroup = makeCgroup(serviceCgroup(spec.slice, spec.name), spec.limits, spec)?.path ?? null;
  const devices = spec.sandbox === null ? [] : portDevices(spec.sandbox.ports, spec.uid);
  const notify_socket = notify_folder === null ? null : `${notify_folder}/sock`;
  const env: Record<string, string> = { ...spec.env };
  if (notify_socket !== null) env["NOTIFY_SOCKET"] = notify_socket;
  // sd_watchdog_enabled(3); ours go by it, too (wire/service.ts)
  if (spec.ready !== "exec" && spec.heartbeat_ms > 0) env["WATCHDOG_USEC"] = String(spec.heartbeat_ms * 1000);
  return { argv: argvOf(spec, { cgroup, devices, notify_folder, may_limit_userns: writable(userns_limit) }), env, cgroup, notify_socket };
}

const userns_limit = "/proc/sys/user/max_user_namespaces";

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const ports_folder = "/sys/class/virtio-ports";

/** Device nodes of virtio-serial ports by the names that the host gave them; made over to the one who uses them. */
function portDevices(names: readonly string[], uid: number): string[] {
  if (names.length === 0) return [];
  const devices: string[] = [];
  for (const port of entries(ports_folder)) {
    try {
      if (!names.includes(readFileSync(`${ports_folder}/${port}/name`, "utf8").trim())) continue;
      chownSync(`/dev/${port}`, uid, uid);
      devices.push(`/dev/${port}`);
    } catch {
      // a port that goes away while it is looked at is not there
    }
  }
  return devices;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
