/** The argument vector with which a service is started: launch, then bubblewrap when it is sandboxed, then the program. */

import { existsSync, lstatSync } from "node:fs";
import { callerSocketFolder, data_dir, lib_dir } from "../../contracts/paths.ts";
import { bubblewrapArgv, launchArgv, type SandboxMount } from "../../sys/launch.ts";
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
  const as_other = spec.uid !== 0;
  return launchArgv(
    launch,
    {
      cgroup: place.cgroup,
      oom_score: spec.oom_score,
      rlimits,
      session: true,
      opens: spec.sandbox === null ? [] : [[seccomp_filter, seccomp_fd]],
      ...(spec.capabilities === null ? {} : { keeps_capabilities: spec.capabilities, no_new_privs: true }),
      ...(as_other ? { uid: spec.uid, gid: spec.gid, drop_capabilities: true, no_new_privs: true } : {}),
    },
    spec.sandbox === null ? spec.argv : sandboxed(spec.name, spec.sandbox, place, spec.argv),
  );
}

function sandboxed(name: string, profile: Profile, place: Place, program: readonly string[]): string[] {
  return bubblewrapArgv(
    "/usr/bin/bwrap",
    {
      shares: profile.shares,
      no_user_namespaces: place.may_limit_userns, // the seccomp filter refuses them too
      root: profile.root ?? "/",
      mounts: mountsOf(name, profile, place),
      seccomp_fd,
      dies_with_parent: true,
    },
    program,
  );
}

const same = (kind: "ro-bind" | "ro-bind-try" | "bind" | "dev-bind", path: string): SandboxMount => ({ kind, from: path, to: path });

/** /srv, which in the system's own root leads to the data partition; another root sees it where it has mount points for it. */
function served(root: string | undefined): SandboxMount[] {
  const srv = `${data_dir}/srv`;
  if (root === undefined) return [same("ro-bind-try", srv)];
  const has = (path: string): boolean => lstatSync(`${root}${path}`, { throwIfNoEntry: false })?.isDirectory() === true;
  return [
    ...(has(data_dir) ? [same("ro-bind-try", srv)] : []),
    ...(has("/srv") ? [{ kind: "ro-bind-try", from: srv, to: "/srv" } as const] : []),
  ];
}

function mountsOf(name: string, profile: Profile, place: Place): SandboxMount[] {
  return [
    { kind: "tmpfs", to: "/tmp" },
    { kind: "tmpfs", to: "/run" },
    // another root need not have the folder, and a mount point cannot be made in it
    ...(profile.root === undefined || existsSync(`${profile.root}${data_dir}`) ? [{ kind: "tmpfs", to: data_dir } as const] : []),
    same("ro-bind-try", "/run/aios/etc"), // what /etc/hostname and /etc/resolv.conf point to
    ...profile.calls.map((server) => same("ro-bind", callerSocketFolder(server, name))),
    ...(place.notify_folder === null ? [] : [same("ro-bind", place.notify_folder)]),
    ...(profile.serves === true ? served(profile.root) : []),
    ...profile.writes.map((folder) => same("bind", folder)),
    ...profile.reads.map((folder) => same("ro-bind-try", folder)),
    // not there while the broker has not handed anything out: then the service does not start, and is tried again
    ...(profile.shows === undefined ? [] : [{ kind: "ro-bind", from: profile.shows[0], to: profile.shows[1] } as const]),
    ...place.devices.map((device) => same("dev-bind", device)),
  ];
}
