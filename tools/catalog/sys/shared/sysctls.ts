/**
 * The kernel parameters that may be set (Documentation/admin-guide/sysctl), each with what may be written and why somebody
 * would. What tames attacks (init/boot/tunables.ts) is not among them.
 */

interface Allowed {
  readonly key: string;
  /** Whole numbers from `min` to `max`; or words by a pattern. */
  readonly values: { readonly min: number; readonly max: number } | { readonly pattern: RegExp; readonly form: string };
  readonly why: string;
}

const number = (min: number, max: number): Allowed["values"] => ({ min, max });
const int_max = 2_147_483_647;
const three_numbers: Allowed["values"] = {
  pattern: /^\d{1,10}\s\d{1,10}\s\d{1,10}$/,
  form: "three numbers of bytes: minimum default maximum",
};

const allowed_sysctls: readonly Allowed[] = [
  { key: "vm.swappiness", values: number(0, 200), why: "how readily memory goes to swap" },
  { key: "vm.dirty_ratio", values: number(1, 90), why: "share of memory that may wait to be written before writers wait" },
  { key: "vm.dirty_background_ratio", values: number(1, 90), why: "share from which writing begins in the background" },
  { key: "vm.vfs_cache_pressure", values: number(1, 1000), why: "how readily names of files are forgotten" },
  { key: "vm.min_free_kbytes", values: number(1024, 4_194_304), why: "memory that is kept free for bursts" },
  { key: "vm.overcommit_memory", values: number(0, 2), why: "databases ask for one of them" },
  { key: "vm.max_map_count", values: number(65_530, 16_777_216), why: "search engines map many files" },
  { key: "fs.file-max", values: number(8192, int_max), why: "open files of all processes" },
  { key: "fs.inotify.max_user_watches", values: number(8192, 4_194_304), why: "watched files of one user" },
  { key: "fs.inotify.max_user_instances", values: number(16, 65_536), why: "watchers of one user" },
  { key: "fs.aio-max-nr", values: number(65_536, 16_777_216), why: "databases queue many reads" },
  { key: "kernel.pid_max", values: number(4096, 4_194_304), why: "many short processes" },
  { key: "kernel.threads-max", values: number(4096, 4_194_304), why: "many threads" },
  { key: "net.core.somaxconn", values: number(128, 65_535), why: "connections that wait to be accepted" },
  { key: "net.core.netdev_max_backlog", values: number(100, 1_000_000), why: "packets that wait for a processor" },
  { key: "net.core.rmem_max", values: number(4096, int_max), why: "receive buffers on long fat lines" },
  { key: "net.core.wmem_max", values: number(4096, int_max), why: "send buffers on long fat lines" },
  { key: "net.ipv4.ip_forward", values: number(0, 1), why: "a router or VPN passes packets on" },
  { key: "net.ipv6.conf.all.forwarding", values: number(0, 1), why: "the same for IPv6" },
  {
    key: "net.ipv4.ip_local_port_range",
    values: { pattern: /^\d{4,5}\s\d{4,5}$/, form: "two port numbers: first last" },
    why: "many outgoing connections",
  },
  { key: "net.ipv4.tcp_fin_timeout", values: number(5, 600), why: "how long closed connections linger, seconds" },
  { key: "net.ipv4.tcp_keepalive_time", values: number(30, 86_400), why: "when idle connections are probed, seconds" },
  { key: "net.ipv4.tcp_max_syn_backlog", values: number(128, 65_535), why: "connections that are being opened" },
  { key: "net.ipv4.tcp_tw_reuse", values: number(0, 2), why: "reuse of ports of closed connections" },
  { key: "net.ipv4.tcp_rmem", values: three_numbers, why: "receive buffers of a connection" },
  { key: "net.ipv4.tcp_wmem", values: three_numbers, why: "send buffers of a connection" },
  {
    key: "net.ipv4.tcp_congestion_control",
    values: { pattern: /^[a-z]{2,15}$/, form: "the name of an algorithm" },
    why: "lossy or shared lines",
  },
  { key: "net.netfilter.nf_conntrack_max", values: number(1024, 16_777_216), why: "connections that the firewall keeps track of" },
];

const by_key = new Map(allowed_sysctls.map((one) => [one.key, one]));

export const sysctl_names = allowed_sysctls.map(({ key }) => key);

/** @returns why this value may not be written, or null */
export function refusal(key: string, value: string): string | null {
  const allowed = by_key.get(key);
  if (allowed === undefined) return `"${key}" is not on the list of parameters that may be set`;
  const { values } = allowed;
  if ("pattern" in values) return values.pattern.test(value) ? null : `it takes ${values.form}`;
  const wanted = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  return wanted >= values.min && wanted <= values.max ? null : `it takes a whole number from ${values.min} to ${values.max}`;
}

/** @param key one of the list: no dot in it stands for anything but a separator */
export function sysctlPath(key: string): string {
  return `/proc/sys/${key.replaceAll(".", "/")}`;
}
