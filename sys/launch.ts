/**
 * The argument vectors of `launch` (init/launch.c) and of bubblewrap (bwrap(1)): how a process gets into its cgroup, its
 * limits, its uid and its sandbox. What a program may have is decided by whoever starts it.
 */

interface LaunchOptions {
  readonly cgroup?: string | null;
  /** -1000 to 1000 */
  readonly oom_score?: number;
  /** -20 to 19 */
  readonly nice?: number;
  /** `name=soft:hard`, setrlimit(2) names in lower case without RLIMIT_. */
  readonly rlimits?: readonly string[];
  readonly session?: boolean;
  /** Opened read-only at this descriptor, and left open. */
  readonly opens?: readonly (readonly [file: string, fd: number])[];
  readonly keeps_fds?: readonly number[];
  readonly uid?: number;
  readonly gid?: number;
  readonly drop_capabilities?: boolean;
  /** For a program that stays root: all that it, and what it starts, can ever have (capabilities(7), lower case without `cap_`). */
  readonly keeps_capabilities?: readonly string[];
  readonly no_new_privs?: boolean;
  readonly dies_with_parent?: boolean;
  readonly chdir?: string;
  /** Only the variables whose names begin with this are kept, under their names without it. */
  readonly env_prefix?: string;
}

/** @param launch path of the program */
export function launchArgv(launch: string, options: LaunchOptions, program: readonly string[]): string[] {
  const argv = [launch];
  const value = (option: string, given: string | number | null | undefined): void => {
    if (given !== undefined && given !== null) argv.push(option, String(given));
  };
  value("--cgroup", options.cgroup);
  value("--oom", options.oom_score);
  value("--nice", options.nice);
  for (const limit of options.rlimits ?? []) argv.push("--rlimit", limit);
  if (options.session === true) argv.push("--setsid");
  for (const [file, fd] of options.opens ?? []) argv.push("--seccomp-fd-from", file, String(fd));
  for (const fd of options.keeps_fds ?? []) argv.push("--keep-fd", String(fd));
  value("--uid", options.uid);
  value("--gid", options.gid);
  if (options.drop_capabilities === true) argv.push("--drop-caps");
  if (options.keeps_capabilities !== undefined) argv.push("--keep-caps", options.keeps_capabilities.join(","));
  if (options.no_new_privs === true) argv.push("--no-new-privs");
  if (options.dies_with_parent === true) argv.push("--die-with-parent");
  value("--chdir", options.chdir);
  value("--env-prefix", options.env_prefix);
  argv.push("--", ...program);
  return argv;
}

/** One thing that is put into the sandbox's file tree, in this order. */
export type SandboxMount =
  | { readonly kind: "ro-bind" | "ro-bind-try" | "bind" | "dev-bind"; readonly from: string; readonly to: string }
  | { readonly kind: "tmpfs" | "dir"; readonly to: string; readonly mode?: string };

interface BubblewrapOptions {
  /** Namespaces that it shares with the system, against the rule. */
  readonly shares: readonly ("user" | "pid" | "net")[];
  /** Forbids further user namespaces; needs its own one. */
  readonly no_user_namespaces: boolean;
  /** The folder that becomes `/`, read-only unless it is to be changed. */
  readonly root: string;
  readonly writable_root?: boolean;
  readonly mounts: readonly SandboxMount[];
  /** The descriptor on which it finds the seccomp filter. */
  readonly seccomp_fd: number | null;
  /** Kept of those that bubblewrap itself has: `cap_net_admin`. */
  readonly capabilities?: readonly string[];
  readonly dies_with_parent: boolean;
}

/** @param bwrap path of the program */
export function bubblewrapArgv(bwrap: string, options: BubblewrapOptions, program: readonly string[]): string[] {
  const own = (name: "user" | "pid" | "net"): boolean => !options.shares.includes(name);
  const argv = [bwrap];
  if (own("user")) argv.push("--unshare-user");
  argv.push("--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try");
  if (options.no_user_namespaces) argv.push("--disable-userns");
  if (own("pid")) argv.push("--unshare-pid");
  if (own("net")) argv.push("--unshare-net");
  if (options.writable_root === true) argv.push("--bind", options.root, "/", "--dev", "/dev");
  else argv.push("--ro-bind", options.root, "/", "--dev", "/dev");
  if (own("pid"))
    argv.push("--proc", "/proc"); // else the system's own
  else if (options.root !== "/") argv.push("--ro-bind", "/proc", "/proc");
  for (const mount of options.mounts) {
    if ("mode" in mount && mount.mode !== undefined) argv.push("--perms", mount.mode);
    argv.push(`--${mount.kind}`, ...("from" in mount ? [mount.from] : []), mount.to);
  }
  if (options.seccomp_fd !== null) argv.push("--seccomp", String(options.seccomp_fd));
  argv.push("--cap-drop", "ALL");
  for (const capability of options.capabilities ?? []) argv.push("--cap-add", capability);
  argv.push("--new-session");
  if (options.dies_with_parent) argv.push("--die-with-parent");
  argv.push("--chdir", "/", "--", ...program);
  return argv;
}
