/** The argument vector with which a service is started: launch, then bubblewrap when it is sandboxed, then the program. */

import { callerSocketFolder, lib_dir } from "../../contracts/paths.ts";
import type { Profile } from "./sandbox.ts";
import type { ServiceSpec } from "./spec.ts";

const launch = `${lib_dir}/launch`;
const seccomp_filter = `${lib_dir}/seccomp/service.bpf`;
/** The descriptor on which bubblewrap finds the filter; the first that is surely free. */
const seccomp_fd = 10;

/** What is known only on the running system. */
export interface Place {
  /** The service's cgroup, when there are cgroups. */
  readonly cgroup: string | null;
  /** Device nodes of the profile's ports, as found. */
  readonly devices: readonly string[];
  /** Whether a sandbox can forbid further user namespaces (/proc/sys/user is read-only in some containers). */
  readonly may_limit_userns: boolean;
  /** The folder of the service's sd_notify socket. */
  readonly notify_folder: string | null;
}

const rlimits = [
  "core=0:0", // a dump would put secrets on the data partition
  "nofile=1024:4096", // the soft limit keeps select(2) honest; the hard one is the kernel's own for PID 1
];

export function argvOf(spec: ServiceSpec, place: Place): string[] {
  const argv = [launch];
  if (place.cgroup !== null) argv.push("--cgroup", place.cgroup);
  argv.push("--oom", String(spec.oom_score));
  for (const limit of rlimits) argv.push("--rlimit", limit);
  argv.push("--setsid");
  if (spec.sandbox !== null) argv.push("--seccomp-fd-from", seccomp_filter, String(seccomp_fd));
  if (spec.uid !== 0) argv.push("--uid", String(spec.uid), "--gid", String(spec.gid), "--drop-caps", "--no-new-privs");
  argv.push("--");
  if (spec.sandbox !== null) argv.push(...bubblewrap(spec.name, spec.sandbox, place), "--");
  argv.push(...spec.argv);
  return argv;
}

function bubblewrap(name: string, profile: Profile, place: Place): string[] {
  const argv = ["/usr/bin/bwrap", "--unshare-user", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"];
  if (place.may_limit_userns) argv.push("--disable-userns"); // the seccomp filter refuses them too
  const own_pids = !profile.shares.includes("pid");
  if (own_pids) argv.push("--unshare-pid");
  if (!profile.shares.includes("net")) argv.push("--unshare-net");
  argv.push("--ro-bind", "/", "/", "--dev", "/dev");
  if (own_pids) argv.push("--proc", "/proc"); // else the system's own, which came with the root
  argv.push("--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var/lib/aios");
  argv.push("--ro-bind-try", "/run/aios/etc", "/run/aios/etc"); // what /etc/hostname and /etc/resolv.conf point to
  for (const server of profile.calls) {
    const folder = callerSocketFolder(server, name);
    argv.push("--ro-bind", folder, folder);
  }
  if (place.notify_folder !== null) argv.push("--ro-bind", place.notify_folder, place.notify_folder);
  for (const folder of profile.writes) argv.push("--bind", folder, folder);
  for (const device of place.devices) argv.push("--dev-bind", device, device);
  argv.push("--seccomp", String(seccomp_fd), "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--chdir", "/");
  return argv;
}
