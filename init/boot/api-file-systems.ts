/** The kernel's own file systems that stage0 did not mount, and the folders that everything else relies on. */

import { chmodSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { run_dir } from "../../contracts/paths.ts";
import type { MountFlag } from "../../sys/mount.ts";
import { cgroup_root } from "./cgroups.ts";
import { readText, reasonOf } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

interface ApiFileSystem {
  readonly type: string;
  readonly target: string;
  readonly flags: readonly MountFlag[];
  readonly data?: string;
  /** What people miss without it; null when nothing that runs today needs it. */
  readonly without: string | null;
  /** Belongs to the machine as a whole: left to the host in a container. */
  readonly machine_only?: true;
}

const closed: readonly MountFlag[] = ["nosuid", "nodev", "noexec"];

const api_file_systems: readonly ApiFileSystem[] = [
  { type: "proc", target: "/proc", flags: closed, without: "nothing can run" },
  { type: "sysfs", target: "/sys", flags: closed, without: "no hardware is seen" },
  { type: "devtmpfs", target: "/dev", flags: ["nosuid", "noexec"], data: "mode=0755", without: "no devices", machine_only: true },
  { type: "tmpfs", target: "/run", flags: ["nosuid", "nodev"], data: "mode=0755,size=25%", without: "no sockets" },
  { type: "tmpfs", target: "/tmp", flags: closed, data: "mode=1777,size=10%", without: "no room for temporary files" },
  { type: "cgroup2", target: cgroup_root, flags: closed, data: "nsdelegate,memory_recursiveprot", without: "services have no limits" },
  { type: "devpts", target: "/dev/pts", flags: ["nosuid", "noexec"], data: "mode=0620,ptmxmode=0666", without: null },
  { type: "tmpfs", target: "/dev/shm", flags: closed, data: "mode=1777,size=25%", without: "no shared memory between processes" },
  { type: "mqueue", target: "/dev/mqueue", flags: closed, without: null },
  { type: "securityfs", target: "/sys/kernel/security", flags: closed, without: null, machine_only: true },
  { type: "bpf", target: "/sys/fs/bpf", flags: closed, data: "mode=0700", without: null, machine_only: true },
  // read-only: a wrong write here can make a board that does not start any more
  { type: "efivarfs", target: "/sys/firmware/efi/efivars", flags: [...closed, "ro"], without: null, machine_only: true },
];

/** As udev makes them; devtmpfs alone does not. */
const links: ReadonlyMap<string, string> = new Map([
  ["/dev/fd", "/proc/self/fd"],
  ["/dev/stdin", "/proc/self/fd/0"],
  ["/dev/stdout", "/proc/self/fd/1"],
  ["/dev/stderr", "/proc/self/fd/2"],
]);

/** On /run: what is changeable below /etc, and what foreign programs have compiled in as theirs. */
const folders = [run_dir, `${run_dir}/etc`, `${run_dir}/net/leases`];

export const apiFileSystems: Phase = {
  name: "api file systems",
  what: "What programs expect below /proc, /sys, /dev and /run",
  modes: "both",
  limit_ms: 2000,
  run: async (boot) => {
    const missing: string[] = [];
    let mounted = 0;
    const present = mountPoints(readText("/proc/self/mountinfo") ?? "");
    for (const wanted of api_file_systems) {
      if (present.has(wanted.target) || (wanted.machine_only && boot.mode === "container")) continue;
      const problem = mountOne(boot, wanted);
      if (problem === null) mounted += 1;
      else if (wanted.without !== null) missing.push(`${wanted.target}: ${problem}, so ${wanted.without}`);
    }
    for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o755 });
    for (const [link, to] of links) if (!existsSync(link)) linkIfPossible(link, to);
    if (missing.length === 0) return done(`${mounted} mounted, ${present.size} were there`);
    return degraded("kernel file systems", missing.join("; "), "use a kernel with these file systems built in");
  },
};

/** @returns why it could not be, or null */
function mountOne(boot: BootContext, { type, target, flags, data }: ApiFileSystem): string | null {
  try {
    if (!existsSync(target)) mkdirSync(target, { recursive: true });
    boot.sys.mount.mount({ source: type, target, type, flags, ...(data === undefined ? {} : { data }) });
    if (target === "/tmp" || target === "/dev/shm") chmodSync(target, 0o1777);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function linkIfPossible(link: string, to: string): void {
  try {
    symlinkSync(to, link);
  } catch {
    // a read-only /dev: whoever made it decides what is in it
  }
}

/** Mount points of /proc/self/mountinfo (proc(5)): the fifth field, with \040 and the like for odd bytes. */
export function mountPoints(mountinfo: string): Set<string> {
  const points = mountinfo.split("\n").flatMap((line) => line.split(" ")[4] ?? []);
  return new Set(
    points.map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))),
  );
}
