/** Where things are in a running system (docs/LAYOUT.md). */

export const run_dir = "/run/aios";
export const data_dir = "/var/lib/aios";
export const lib_dir = "/usr/lib/aios";
/**
 * Under /run/aios, by PID 1, for what is right where no call declared otherwise: the host name of the config, its resolv.conf(5) by
 * config and leases, and the links that the config set up (contracts/network.ts).
 */
export const configured_hostname = "net/hostname";
export const configured_resolv = "net/resolv.conf";
export const configured_links = "net/links.json";
/** Model files that come with the image. */
export const models_dir = `${lib_dir}/models`;
/** Documents of the image: the memory service indexes them. */
export const knowledge_dir = `${lib_dir}/knowledge`;
export const aios_executable = "/usr/bin/aios";

/**
 * The socket on which `server` takes calls from `caller` alone. Its folder belongs to the server, its group is the
 * caller's, and a sandbox has only its own caller's folders in it: who is calling is a fact of the file system.
 */
export function callerSocketFolder(server: string, caller: string, run: string = run_dir): string {
  return `${run}/${server}/${caller}`;
}

export function callerSocket(server: string, caller: string, run: string = run_dir): string {
  return `${callerSocketFolder(server, caller, run)}/sock`;
}

/** Values that the broker hands to a service that was defined: files of its uid, in memory. */
export function secretsFolder(service: string, run: string = run_dir): string {
  return `${run}/secrets/${service}`;
}

/** Where a service or program sees the secrets that are handed to it; `CREDENTIALS_DIRECTORY` says so too, as systemd does. */
export const secrets_inside = "/run/secrets";

/** HTTP over this socket is the one thing that the appliance shows the world. */
export const console_socket = `${run_dir}/console/http/sock`;
