/** What is mounted, from /proc/self/mountinfo (proc(5)), and what of it has to be taken down. */

export interface Mounted {
  readonly target: string;
  readonly type: string;
  readonly source: string;
}

/** File systems that live in memory or in the kernel: nothing of theirs can be lost. */
const in_kernel = new Set([
  "proc",
  "sysfs",
  "devtmpfs",
  "devpts",
  "tmpfs",
  "ramfs",
  "cgroup",
  "cgroup2",
  "mqueue",
  "hugetlbfs",
  "securityfs",
  "debugfs",
  "tracefs",
  "pstore",
  "efivarfs",
  "bpf",
  "configfs",
  "fusectl",
  "nsfs",
  "erofs", // the root, read-only
  "squashfs",
]);

export function parseMountInfo(text: string): Mounted[] {
  const mounted: Mounted[] = [];
  for (const line of text.split("\n")) {
    const [before, after] = line.split(" - ");
    const target = before?.split(" ")[4];
    const [type, source] = after?.split(" ") ?? [];
    if (target === undefined || type === undefined || source === undefined) continue;
    mounted.push({ target: unescaped(target), type, source: unescaped(source) });
  }
  return mounted;
}

/** Those that hold data, the last mounted first. The root itself stays: it cannot be taken away from under PID 1. */
export function toTakeDown(mounted: readonly Mounted[]): Mounted[] {
  return mounted.filter((mount) => mount.target !== "/" && !in_kernel.has(mount.type)).reverse();
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Swap areas from /proc/swaps (proc(5)). */
export function parseSwaps(text: string): string[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? "")
    .filter((path) => path.startsWith("/"))
    .map(unescaped);
}
