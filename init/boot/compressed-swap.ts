/**
 * Swap in memory, compressed (zram; Documentation/admin-guide/blockdev/zram.rst). What a process has not touched for long takes a
 * third of its place then. None on a disk: flash wears out, and what was in memory would be found on it.
 */

import { existsSync, writeFileSync } from "node:fs";
import { memoryBytes } from "./cgroups.ts";
import { readText, reasonOf } from "./files.ts";
import { runHelper } from "./helper.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

const sysfs = "/sys/block/zram0";
const device = "/dev/zram0";

/** Of the machine's memory: what may lie in it, as large as it was before. */
const content_share = 0.5;
/** And what that may take at most, should it be such that it cannot be compressed. */
const taken_share = 0.25;

export const compressedSwap: Phase = {
  name: "compressed swap",
  what: "Room in memory for what nobody asks for, a third as large",
  modes: "machine",
  limit_ms: 10_000,
  run: async (boot) => {
    if (!existsSync(sysfs)) return done("this kernel has no zram");
    return makeSwap(boot, memoryBytes(readText("/proc/meminfo") ?? ""));
  },
};

async function makeSwap(boot: Pick<BootContext, "sys" | "ownChild">, memory_bytes: number) {
  const todo = "nothing: without it idle memory only takes more room";
  try {
    writeFileSync(`${sysfs}/disksize`, String(Math.floor(memory_bytes * content_share)));
    writeFileSync(`${sysfs}/mem_limit`, String(Math.floor(memory_bytes * taken_share)));
    const made = await runHelper(boot, ["/usr/sbin/mkswap", "--quiet", device], { limit_ms: 5000 });
    if (made.status !== 0) return degraded("compressed swap", `mkswap "${device}" ended with status ${made.status}: ${made.said}`, todo);
    boot.sys.mount.swapOn(device);
  } catch (error) {
    return degraded("compressed swap", reasonOf(error), todo);
  }
  return done(`${Math.floor((memory_bytes * content_share) / 1024 / 1024)} MiB, ${algorithm()}`);
}

/** The one in brackets of `lzo [lz4] zstd`. */
function algorithm(): string {
  return /\[(\S+)\]/.exec(readText(`${sysfs}/comp_algorithm`) ?? "")?.[1] ?? "unknown";
}
