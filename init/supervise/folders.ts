/** Folders on /run and on the data partition that have to be there, with their owners, before a service starts. */

import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { callerSocketFolder, data_dir, run_dir, secretsFolder } from "../../contracts/paths.ts";
import type { ServiceSpec } from "./spec.ts";
import { initFolder, secret_holders, socket_folders, uids } from "./table.ts";

const root = 0;

/** One that is as it has to be is not touched: on a disk that became read-only a service starts all the same, and shows what it holds. */
function folder(path: string, uid: number, gid: number, mode: number): void {
  mkdirSync(path, { recursive: true });
  const held = statSync(path);
  if (held.uid !== uid || held.gid !== gid) chownSync(path, uid, gid);
  if ((statSync(path).mode & 0o7777) !== mode) chmodSync(path, mode);
}

/** The sockets of PID 1: one folder a service, which nobody else can enter. */
export function makeInitFolder(name: string, gid: number): void {
  folder(initFolder(name), root, gid, 0o750);
}

/** The folder of a foreign program's sd_notify socket. One that starts as root becomes somebody else by itself. */
export function makeNotifyFolder(name: string, gid: number): string {
  const path = `${run_dir}/notify/${name}`;
  folder(path, root, gid, gid === root ? 0o755 : 0o750);
  return path;
}

/** Others may pass, not look; what lies in it already is left as it is (tools/vault/handout.ts). */
function makeSecretsFolder(holder: string): void {
  const owner = uids.get(holder) ?? root;
  folder(dirname(secretsFolder(holder)), root, root, 0o711);
  folder(secretsFolder(holder), owner, owner, 0o500);
}

/** What one service needs: its own folders, those in which its callers reach it, and those in which it calls. */
export function makeServiceFolders(spec: ServiceSpec): void {
  for (const path of spec.writes) folder(path, spec.uid, spec.gid, path.startsWith(data_dir) ? 0o700 : 0o755);
  for (const holder of secret_holders) if (spec.name === holder || spec.name === "broker") makeSecretsFolder(holder);
  for (const [server, caller] of socket_folders) {
    if (server !== spec.name && caller !== spec.name) continue;
    const owner = uids.get(server) ?? root;
    folder(`${run_dir}/${server}`, owner, owner, 0o755);
    // set-gid: the socket that the server makes in it belongs to the caller's group
    folder(callerSocketFolder(server, caller), owner, uids.get(caller) ?? root, 0o2750);
  }
}
