/**
 * Container mode: the root of the image with the same PID 1 in fresh pid, mount, network, host name, IPC and cgroup
 * namespaces, at native speed. Needs root. What is inside ends with this process.
 */

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { console_socket } from "../contracts/paths.ts";
import { askForPoweroff, Console } from "./client.ts";
import { descendants, type HostProcess } from "./host-processes.ts";
import { atEnd, dyingWithUs, endProcess, removeFolder } from "./owned.ts";
import { isLeftBehind, needBuilt, newFolder } from "./places.ts";
import { tailOf, waitFor, within } from "./wait.ts";

const enter = join(import.meta.dir, "container-enter.sh");

export interface ContainerOptions {
  /** Folder that becomes /var/lib/aios; kept. Without it the container has no data partition. */
  readonly data?: string;
  /** Text of aios.yaml. */
  readonly config?: string;
  /** Folder of test programs that is seen at /mnt, read-only. */
  readonly programs?: string;
  /** A root folder or erofs image other than the built one. */
  readonly root?: string;
}

export interface Container {
  /** PID 1 of the container, as the host numbers it. */
  readonly pid: number;
  readonly console: Console;
  readonly console_socket: string;
  /** The container's root as a host path. */
  readonly root: string;
  /** What PID 1 wrote to its stdout and stderr. */
  log(): string;
  /** All that runs inside, PID 1 first. */
  processes(): HostProcess[];
  /** The host's number of a process that is `pid` inside. */
  hostPid(pid: number): number;
  /** Runs a program of the host inside all namespaces but the mount namespace. */
  sh(argv: readonly string[], limit_ms?: number): Promise<{ readonly status: number; readonly out: string }>;
  /** Waits until the sentinel `aios: all ready` (or `aios: console ready`) was written. */
  ready(what?: "all" | "console", limit_ms?: number): Promise<void>;
  /** Asks for a poweroff and waits for the end. @returns the signal or status with which PID 1 ended: SIGINT for poweroff */
  poweroff(limit_ms?: number): Promise<string>;
  /** How PID 1 ended: SIGINT after poweroff, SIGHUP after reboot (reboot(2) in a pid namespace). */
  readonly ended: Promise<string>;
  kill(): Promise<void>;
}

/** Starts a container; returns as soon as PID 1 runs. */
export async function startContainer(options: ContainerOptions = {}): Promise<Container> {
  if (process.getuid?.() !== 0) throw new Error("starting a container failed: it needs root; run the command as root");
  const root = options.root ?? needBuilt("root_folder");
  const folder = newFolder("container");
  const removeOurs = atEnd(() => removeFolder(folder));
  mkdirSync(join(folder, "new"));
  const config = join(folder, "aios.yaml");
  if (options.config !== undefined) writeFileSync(config, options.config);
  if (options.data !== undefined) {
    mkdirSync(options.data, { recursive: true });
    chmodSync(options.data, 0o755); // as the root of a new file system is
  }
  const cgroup = makeCgroup();
  const log_path = join(folder, "console.log");
  const log_fd = openSync(log_path, "a");

  const argv = [enter, "outer", cgroup?.path ?? "-", join(folder, "new"), root];
  argv.push(options.data ?? "-", options.config === undefined ? "-" : config, options.programs ?? "-");
  const child = Bun.spawn(dyingWithUs(argv), { stdin: "ignore", stdout: log_fd, stderr: log_fd });
  closeSync(log_fd);
  const end = atEnd(() => endProcess(child));
  const log = (): string => readFileSync(log_path, "utf8");
  const explain = (): string => `What PID 1 wrote:\n${tailOf(log())}`;

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
    pid = await waitFor("PID 1 of the container", () => firstInside(child.pid, child.exitCode), { limit_ms: 10_000, every_ms: 2, explain });
  } catch (error) {
    await leave();
    throw error;
  }
  const host_root = `/proc/${pid}/root`;
  const socket = `${host_root}${console_socket}`;
  const console_ = new Console(socket);

  return {
    pid,
    console: console_,
    console_socket: socket,
    root: host_root,
    log,
    ended,
    processes: () => descendants(pid),
    hostPid(inside) {
      const found = descendants(pid).find((process_) => process_.pids[1] === inside);
      if (found === undefined) throw new Error(`looking up pid ${inside} of the container failed: no such process`);
      return found.pid;
    },
    async sh(inside_argv, limit_ms = 60_000) {
      const namespaces = ["--pid", "--net", "--uts", "--ipc"];
      const tool = Bun.spawn(dyingWithUs(["nsenter", "--target", String(pid), ...namespaces, "--", ...inside_argv]), {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
      });
      const [out, status] = await within(inside_argv.join(" "), limit_ms, Promise.all([new Response(tool.stdout).text(), tool.exited]));
      return { status, out };
    },
    async ready(what = "all", limit_ms = 30_000) {
      await waitFor(`"aios: ${what} ready"`, () => log().includes(`aios: ${what} ready`), { limit_ms, every_ms: 5, explain });
      await waitFor("the console socket", () => existsSync(socket), { limit_ms: 2000, every_ms: 5, explain });
    },
    async poweroff(limit_ms = 30_000) {
      await askForPoweroff(console_);
      return await within("the poweroff", limit_ms, ended, explain);
    },
    kill: leave,
  };
}

/** The pid of unshare's only child, once that has left the script behind and become stage0 or what follows it. */
function firstInside(unshare_pid: number, status: number | null): number | null {
  if (status !== null) throw new Error(`the container ended with status ${status}`);
  const inside = descendants(unshare_pid).find((found) => found.pids.length > 1 && found.pids[1] === 1);
  if (inside === undefined) return null;
  const argv0 = readFileSync(`/proc/${inside.pid}/cmdline`, "utf8").split("\0")[0];
  return argv0 === "/sbin/init" || argv0 === "aios" ? inside.pid : null;
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

let cgroup_number = 1;

/** A cgroup of its own in the version 2 tree, where the host has one mounted. */
function makeCgroup(): { readonly path: string; remove(): Promise<void> } | null {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((text) => text.includes(" - cgroup2 "));
  const home = line?.split(" ")[4];
  if (home === undefined) return null;
  for (const left of readdirSync(home)) if (isLeftBehind(left, "aios-container")) removeCgroups(join(home, left));
  const path = join(home, `aios-container-${process.pid}-${cgroup_number++}`);
  mkdirSync(path);
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
