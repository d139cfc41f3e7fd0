/** The well-kept foreign programs that run as services, as data. They are started by `BootContext.runProgram`. */

import type { ExtraService } from "../../contracts/config.ts";
import { data_dir, lib_dir, run_dir } from "../../contracts/paths.ts";
import type { Slice } from "./cgroups.ts";

/**
 * As `ExtraService`, for programs of the image that need more: they start as root, keep only what `capabilities` names
 * (capabilities(7), lower case without `cap_`), and then drop to a user of their own by themselves.
 */
export interface Program extends Omit<ExtraService, "uid"> {
  readonly name: string;
  readonly slice: Slice;
  readonly uid: number;
  readonly capabilities: readonly string[];
  /** Folders that it writes; they exist, with the right owner, before it starts. */
  readonly writes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const root = 0;
const mib = 1024 * 1024;

const as_root = {
  uid: root,
  slice: "system",
  after: [],
  ready: "exec",
  heartbeat_ms: 0,
  sandbox: false,
  network: true,
  writes: [],
} as const;

/** Its name as a service. */
export const chronyd = "chronyd";
export const chrony_config = `${run_dir}/etc/chrony.conf`;

/** chronyd in the foreground, logging to stderr, as _chrony once it has its sockets, under its own system call filter. */
export function chronyProgram(): Program {
  return {
    ...as_root,
    after: [],
    writes: [],
    name: chronyd,
    argv: ["/usr/sbin/chronyd", "-d", "-f", chrony_config, "-u", "_chrony", "-F", "1"],
    limits: { memory_max_bytes: 64 * mib, pids_max: 16 },
    capabilities: ["sys_time", "setuid", "setgid", "net_bind_service", "chown", "dac_override", "fowner", "sys_nice", "sys_resource"],
    environment: {},
  };
}

/** A server is an address or a host name; anything else would be a second directive in the file. */
export const ntp_server = /^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/;

/** chrony.conf(5): a client and nothing else. */
export function chronyConfigText(servers: readonly string[]): string {
  return [
    ...servers.filter((server) => ntp_server.test(server)).map((server) => `server ${server} iburst`),
    `driftfile ${data_dir}/chrony/drift`,
    "# whatever is a second off or more is stepped, at any time: a machine that was paused, or whose clock was set, is not slewed for years",
    "makestep 1.0 -1",
    '# clears the mark "not synchronised" of the kernel, by which PID 1 knows; PID 1 then writes the battery clock',
    "rtcsync",
    "# no server, no command port; chronyc talks through the unix socket",
    "port 0",
    "cmdport 0",
    "pidfile /run/chrony/chronyd.pid",
    "bindcmdaddress /run/chrony/chronyd.sock",
    "",
  ].join("\n");
}

export const dhcpcd_config = `${run_dir}/etc/dhcpcd.conf`;
/** Where our DHCP hook leaves what it learned. */
export const lease_folder = `${run_dir}/net/leases`;
const dhcp_hook = `${lib_dir}/dhcp-hook`;

/** One dhcpcd for all interfaces. It configures them itself, and runs unprivileged but for a small helper of its own. */
export function dhcpcdProgram(): Program {
  return {
    ...as_root,
    after: [],
    writes: [],
    name: "dhcpcd",
    argv: ["/usr/sbin/dhcpcd", "--nobackground", "--config", dhcpcd_config],
    limits: { memory_max_bytes: 384 * mib, pids_max: 64 }, // its hook is our executable
    capabilities: ["net_admin", "net_raw", "net_bind_service", "setuid", "setgid", "sys_chroot", "kill", "chown", "dac_override", "fowner"],
    environment: {},
  };
}

/** dhcpcd.conf(5). Names of interfaces hold no white space (contracts/config.ts, and the kernel's own names). */
export function dhcpcdConfigText(interfaces: readonly string[], script: string = dhcp_hook): string {
  return [
    `allowinterfaces ${interfaces.join(" ")}`,
    "# there is no udev to wait for",
    "nodev",
    "# the same identity at every boot, so that the server gives the same address",
    "clientid",
    "# a lease outlives a restart of dhcpcd",
    "persistent",
    "option domain_name_servers, ntp_servers, classless_static_routes, interface_mtu",
    "option dhcp6_name_servers, dhcp6_sntp_servers",
    "require dhcp_server_identifier",
    "# without a server there is no address: 169.254.x.y would only look like one",
    "noipv4ll",
    "slaac private",
    "# our own executable; no host name, no resolv.conf by anyone else",
    `script ${script}`,
    "env BUN_JSC_useJIT=0",
    "",
  ].join("\n");
}
