/**
 * The argument vector of a program that a tool starts:
 *
 *   launch (cgroup, limits, session) → bwrap (as root, so that what it shows is not bound to what the uid may see)
 *   → launch again, inside (uid, no capabilities, no_new_privs, environment) → the program
 *
 * The variables for the program travel with a prefix that the inner launch takes off: bwrap, which runs as root, obeys none
 * of them, and none stands in an argument vector that others can read.
 */

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { lib_dir } from "../../contracts/paths.ts";
import { bubblewrapArgv, launchArgv, type SandboxMount } from "../../sys/launch.ts";
import { type Command, type Sandbox, tools_uid } from "./exec.ts";

/** Where the programs are that start programs; a test outside the image has its own. */
export interface ExecPrograms {
  readonly launch: string;
  readonly bwrap: string;
  /** The seccomp filter. */
  readonly filter: string;
}

export const image_programs: ExecPrograms = {
  launch: `${lib_dir}/launch`,
  bwrap: "/usr/bin/bwrap",
  filter: `${lib_dir}/seccomp/service.bpf`,
};

/** What is known only of this start. */
export interface Cell {
  readonly cgroup: string | null;
  readonly programs: ExecPrograms;
  /** `/run/aios` and `/var/lib/aios`, which no program sees. */
  readonly run: string;
  readonly data: string;
  readonly dies_with_parent: boolean;
  /** A path by which bwrap finds what a descriptor means (`stage.ts`). */
  stage(from: string | number): string;
}

const env_prefix = "AIOS_GIVEN_";
const base_environment = { PATH: "/usr/bin:/usr/sbin:/bin:/sbin", HOME: "/", LANG: "C.UTF-8" };

const seccomp_fd = 10;
const oom_score = 600; // before any service of ours
const inner_launch = "/run/launch";

/** Dumps would put secrets on the disk. Memory and processes are the cgroup's; where there is none these have to do. */
function rlimits(command: Command, cgroup: string | null): string[] {
  const limits = ["core=0:0", "nofile=1024:4096"];
  const memory = command.limits?.memory_max_bytes;
  if (cgroup === null && memory !== undefined) limits.push(`data=${memory}:${memory}`);
  return limits;
}

/** Whose start it is, for those that look for what a call left behind; the program itself does not see it. */
export const call_variable = "AIOS_CALL";

export function environmentOf(command: Command, name: string): Record<string, string> {
  const given = Object.entries({ ...base_environment, ...command.env }).map(([key, value]) => [`${env_prefix}${key}`, value] as const);
  return { ...Object.fromEntries(given), [call_variable]: name };
}

export function argvOf(command: Command, cell: Cell): string[] {
  const outer = { cgroup: cell.cgroup, oom_score, rlimits: rlimits(command, cell.cgroup), session: true };
  const { sandbox } = command;
  if (sandbox === "none") {
    const chdir = command.cwd === undefined ? {} : { chdir: command.cwd };
    const { dies_with_parent } = cell;
    return launchArgv(cell.programs.launch, { ...outer, no_new_privs: true, dies_with_parent, env_prefix, ...chdir }, command.argv);
  }
  const filtered = (sandbox.capabilities ?? []).length === 0; // the filter refuses what capabilities are for
  const inside = launchArgv(inner_launch, innerOptions(command, sandbox), command.argv);
  const boxed = bubblewrapArgv(cell.programs.bwrap, boxOf(sandbox, cell, filtered), inside);
  return launchArgv(cell.programs.launch, { ...outer, opens: filtered ? [[cell.programs.filter, seccomp_fd]] : [] }, boxed);
}

function innerOptions(command: Command, sandbox: Sandbox) {
  const chdir = command.cwd === undefined ? {} : { chdir: command.cwd };
  const base = { env_prefix, no_new_privs: true, ...chdir };
  if ((sandbox.capabilities ?? []).length > 0) return base;
  const uid = sandbox.uid ?? tools_uid;
  return { ...base, uid, gid: sandbox.gid ?? uid, drop_capabilities: true };
}

/** What the inner launch needs in order to give everything up. */
const capabilities_to_drop = ["cap_setuid", "cap_setgid", "cap_setpcap"];

function boxOf(sandbox: Sandbox, cell: Cell, filtered: boolean) {
  const shares: ("user" | "pid" | "net")[] = ["user"];
  if (sandbox.processes === true) shares.push("pid");
  if (sandbox.network === true) shares.push("net");
  return {
    shares,
    no_user_namespaces: false, // the filter refuses them, and with it all others
    root: sandbox.root ?? "/",
    writable_root: sandbox.root !== undefined && sandbox.writable_root === true,
    mounts: mountsOf(sandbox, cell),
    seccomp_fd: filtered ? seccomp_fd : null,
    capabilities: filtered ? capabilities_to_drop : (sandbox.capabilities ?? []),
    dies_with_parent: cell.dies_with_parent,
  };
}

function mountsOf(sandbox: Sandbox, cell: Cell): SandboxMount[] {
  const mounts: SandboxMount[] = [
    { kind: "tmpfs", to: "/tmp", mode: "1777" },
    { kind: "tmpfs", to: "/run" },
  ];
  // in another root the folder of the data partition is an empty one, in which mount points can be made
  const there = (path: string): boolean => existsSync(`${sandbox.root ?? ""}${path}`);
  const hidden = [cell.run, cell.data].filter((path) => there(path) && !isBelow(path, ["/tmp", "/run"]));
  for (const to of hidden) mounts.push({ kind: "tmpfs", to });
  mounts.push({ kind: "ro-bind-try", from: `${cell.run}/etc`, to: "/run/aios/etc" }); // what /etc/resolv.conf points to
  mounts.push({ kind: "ro-bind", from: cell.programs.launch, to: inner_launch });
  // root without a namespace of users is root to sysctls too, whatever its capabilities (proc_sys(5): only the uid counts)
  if (sandbox.writable_root === true || (sandbox.capabilities ?? []).length > 0)
    mounts.push(...["/proc/sys", "/proc/fs"].map((to) => ({ kind: "ro-bind" as const, from: to, to })));
  for (const device of sandbox.devices ?? []) mounts.push({ kind: "dev-bind", from: device, to: device });
  const empty = ["/tmp", "/run", ...hidden];
  for (const [kind, shown] of [
    ["ro-bind", sandbox.reads ?? []],
    ["bind", sandbox.writes ?? []],
  ] as const)
    for (const [from, to] of shown) mounts.push(...foldersTo(to, empty), { kind, from: cell.stage(from), to });
  return mounts;
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

/** The folders on the way to a path in an empty one: bwrap would make them for root alone. */
function foldersTo(path: string, empty: readonly string[]): SandboxMount[] {
  const folders: SandboxMount[] = [];
  for (let folder = dirname(path); isBelow(folder, empty); folder = dirname(folder))
    folders.unshift({ kind: "dir", to: folder, mode: "0755" });
  return folders;
}
