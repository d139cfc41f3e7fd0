/**
 * A root in fresh pid, mount, network, host name, IPC and cgroup namespaces, with its own PID 1, at native speed. Needs
 * root. What is inside ends with this process.
 */

import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { descendants, type HostProcess } from "./host-processes.ts";
import { atEnd, dyingWithUs, endProcess, removeFolder } from "./owned.ts";
import { isLeftBehind, newFolder } from "./places.ts";
import { tailOf, waitFor, within } from "./wait.ts";

const enter = join(import.meta.dir, "container-enter.sh");

export interface NamespacesOptions {
  /** A folder of this name holds what belongs to the run. */
  readonly name: string;
  /** A root folder or erofs image. */
  readonly root: string;
  /** Folder that becomes /var/lib/aios. */
  readonly data?: string;
  /** Prepares the machine config in the run's folder. @returns its path, or null for none */
  readonly config?: (folder: string) => string | null;
  /** Folder of programs that is seen at /mnt, read-only. */
  readonly programs?: string;
  /** The base of the userland, which is seen where the ESP would have it. */
  readonly userland?: string;
  /** What argv[0] of PID 1 can be, once it has taken over. */
  readonly inits: readonly string[];
}

export interface Ran {
  readonly status: number;
  readonly out: string;
}

export interface Namespaces {
  /** PID 1 inside, as the host numbers it. */
  readonly pid: number;
  /** The root inside, as a host path. */
  readonly root: string;
  /** What PID 1 wrote to its stdout and stderr. */
  log(): string;
  /** All that runs inside, PID 1 first. */
  processes(): HostProcess[];
  /** The host's number of a process that is `pid` inside. */
  hostPid(pid: number): number;
  /** Runs a program of the host inside all namespaces but the mount namespace. */
  sh(argv: readonly string[], limit_ms?: number): Promise<Ran>;
  /** Runs a program of the root inside all namespaces. */
  inside(argv: readonly string[], limit_ms?: number): Promise<Ran>;
  /** How PID 1 ended: SIGINT after poweroff, SIGHUP after reboot (reboot(2) in a pid namespace). */
  readonly ended: Promise<string>;
  kill(): Promise<void>;
}

/** Returns as soon as PID 1 runs. */
export async function enterNamespaces(options: NamespacesOptions): Promise<Namespaces> {
  if (process.getuid?.() !== 0) throw new Error("starting a container failed: it needs root; run the command as root");
  const folder = newFolder(options.name);
  const removeOurs = atEnd(() => removeFolder(folder));
  mkdirSync(join(folder, "new"));
  const config = options.config?.(folder) ?? null;
  const cgroup = makeCgroup();
  const log_path = join(folder, "console.log");
  const log_fd = openSync(log_path, "a");

  const argv = [enter, "outer", cgroup?.path ?? "-", join(folder, "new"), options.root];
  argv.push(options.data ?? "-", config ?? "-", options.programs ?? "-", options.userland ?? "-");
  const child = Bun.spawn(dyingWithUs(argv), { stdin: "ignore", stdout: log_fd, stderr: log_fd });
  closeSync(log_fd);
  const end = atEnd(() => endProcess(child));
  const log = (): string => readFileSync(log_path, "utf8");

  const ended = child.exited.then(async (status): Promise<string> => {
    end();
    await cgroup?.remove();
    if (child.signalCode !== null) return String(child.signalCode);
    return status > 128 ? signalName(status - 128) : String(status);
  });

  const leave = async (): Promise<void> => {
    end();
    await ended;
    removeOurs();
  };
  let pid = 0;
  try {
    const found = (): number | null => firstInside(child.pid, child.exitCode, options.inits);
    const explain = (): string => `What PID 1 wrote:\n${tailOf(log())}`;
    pid = await waitFor("PID 1 of the container", found, { limit_ms: 60_000, every_ms: 2, explain });
  } catch (error) {
    await leave();
    throw error;
  }

  return {
    pid,
    root: `/proc/${pid}/root`,
    log,
    ended,
    processes: () => descendants(pid),
    hostPid(inside) {
      const found = descendants(pid).find((process_) => process_.pids[1] === inside);
      if (found === undefined) throw new Error(`looking up pid ${inside} of the container failed: no such process`);
      return found.pid;
    },
    sh: (inside_argv, limit_ms) => runInside(pid, ["--pid", "--net", "--uts", "--ipc"], inside_argv, limit_ms),
    inside: (inside_argv, limit_ms) => runInside(pid, ["--all"], inside_argv, limit_ms),
    kill: leave,
  };
}

async function runInside(pid: number, namespaces: readonly string[], argv: readonly string[], limit_ms = 60_000): Promise<Ran> {
  const tool = Bun.spawn(dyingWithUs(["nsenter", "--target", String(pid), ...namespaces, "--", ...argv]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const [out, status] = await within(argv.join(" "), limit_ms, Promise.all([new Response(tool.stdout).text(), tool.exited]));
  return { status, out };
}

/** The pid of unshare's only child, once that has left the script behind and become one of `inits`. */
function firstInside(unshare_pid: number, status: number | null, inits: readonly string[]): number | null {
  if (status !== null) throw new Error(`the container ended with status ${status}`);
  const inside = descendants(unshare_pid).find((found) => found.pids.length > 1 && found.pids[1] === 1);
  if (inside === undefined) return null;
  const argv0 = readFileSync(`/proc/${inside.pid}/cmdline`, "utf8").split("\0")[0] ?? "";
  return inits.includes(argv0) ? inside.pid : null;
}

const signals = new Map([
  [1, "SIGHUP"],
  [2, "SIGINT"],
  [9, "SIGKILL"],
  [15, "SIGTERM"],
]);

function signalName(number: number): string {
  return signals.get(number) ?? `signal ${number}`;
}

/** A cgroup of its own in the version 2 tree, where the host has one mounted. */
function makeCgroup(): { readonly path: string; remove(): Promise<void> } | null {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((text) => text.includes(" - cgroup2 "));
  const home = line?.split(" ")[4];
  if (home === undefined) return null;
  for (const left of readdirSync(home)) if (isLeftBehind(left, "aios-container")) removeCgroups(join(home, left));
  const path = mkdtempSync(join(home, `aios-container-${process.pid}-`));
  return {
    path,
    async remove() {
      for (let attempt = 0; attempt < 50; attempt += 1) {
        if (removeCgroups(path)) return;
        await Bun.sleep(20);
      }
    },
  };
}

/** Removes the innermost cgroups first; rmdir(2) refuses one that still has processes. */
function removeCgroups(path: string): boolean {
  const inner = new Bun.Glob("**/").scanSync({ cwd: path, onlyFiles: false });
  const paths = [...inner].map((name) => join(path, name)).sort((a, b) => b.length - a.length);
  try {
    for (const each of [...paths, path]) if (existsSync(join(each, "cgroup.procs"))) rmdirSync(each);
    return true;
  } catch {
    return false;
  }
}
