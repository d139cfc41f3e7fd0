/** The file system on the data partition: made where there is nothing, checked and mended, grown to its partition. */

import { closeSync, openSync, readSync } from "node:fs";
import type { BlockDevice } from "./block.ts";
import { data_label, isUnfinished, markUnfinished } from "./data-partition.ts";
import { type Trouble, trouble, worth_bytes } from "./data-trouble.ts";
import { type HelperResult, runHelper } from "./helper.ts";
import type { BootContext } from "./phase.ts";

/** How much of a partition has to be zero before it counts as blank. */
const blank_bytes = 1024 * 1024;
const format_limit_ms = 120_000;
export const grow_limit_ms = 300_000;
/** A large file system that is damaged takes hours. That is no reason to run without it, as long as the check gets on. */
export const check_limit_ms = 12 * 3_600_000;
const check_silence_ms = 20 * 60_000;
const said_every_ms = 60_000;

/**
 * mke2fs writes the superblock last: a format that was cut off leaves what looks like bytes of an unknown kind. So the partition's name
 * says that it is under way.
 *
 * @param by the program, for tests
 * @returns null when there is an ext4 file system already
 */
export async function formatIfBlank(
  boot: BootContext,
  device: BlockDevice,
  fresh: boolean,
  by = "mke2fs",
): Promise<BlockDevice | Trouble | null> {
  const cut_off = isUnfinished(device);
  if (device.type === "ext4") {
    if (cut_off) await markUnfinished(boot, device, false);
    return null;
  }
  const foreign = "if nothing on it is wanted, erase its start (wipefs) on another machine; aiOS formats it at the next boot";
  if (device.type !== null || device.table !== null)
    return trouble(
      `the data partition "${device.path}" holds ${device.type ?? `a ${device.table} table`}, not ext4: it is not touched`,
      foreign,
    );
  if (!fresh && !cut_off && !isBlank(device.path))
    return trouble(`the data partition "${device.path}" holds data of an unknown kind: it is not touched`, foreign);
  if (!cut_off) await markUnfinished(boot, device, true);
  const made = await runHelper(
    boot,
    [by, "-q", "-F", "-t", "ext4", "-L", data_label, "-m", "1", "-E", "lazy_itable_init=1,nodiscard", device.path],
    {
      limit_ms: format_limit_ms,
    },
  );
  if (made.status !== 0)
    return trouble(`formatting "${device.path}" failed: ${made.said}`, "check the disk; replace it when it is failing");
  await markUnfinished(boot, device, false);
  return { ...device, type: "ext4", label: data_label };
}

/** Whether the first part is all zero. */
function isBlank(path: string): boolean {
  const buffer = Buffer.alloc(blank_bytes);
  const fd = openSync(path, "r");
  try {
    const length = readSync(fd, buffer, 0, buffer.length, 0);
    return buffer.subarray(0, length).every((byte) => byte === 0);
  } finally {
    closeSync(fd);
  }
}

/** Exit status of e2fsck(8), a sum of bits. */
const fsck_mended = 1 | 2;
/** It was asked to end, by TERM, say. */
const fsck_cancelled = 32;

/** @param by the program, for tests */
export async function check(boot: BootContext, device: BlockDevice, by = "e2fsck"): Promise<{ readonly mended: boolean } | Trouble> {
  // -p alone replays the journal and mends what is harmless; only when that gives up, everything is answered with yes
  const first = await e2fsck(boot, by, device, "-p");
  if (first.status >= 0 && (first.status & ~fsck_mended) === 0) return { mended: first.status !== 0 };
  // nothing is known of it then, and whoever has ended this would end a repair half way
  if (first.status < 0 || (first.status & fsck_cancelled) !== 0)
    return trouble(
      `checking "${device.path}" did not come to its end: ${first.said || "it was told to end"}`,
      "reboot to have it checked again, or check it on another machine (e2fsck)",
    );
  boot.log(
    "warning",
    `checking "${device.path}" failed with status ${first.status}, trying a full repair: ${first.stdout.toString().slice(-200)} ${first.said}`,
  );
  const second = await e2fsck(boot, by, device, "-f", "-y");
  if (second.status >= 0 && (second.status & ~fsck_mended) === 0) return { mended: true };
  return trouble(
    `the file system on "${device.path}" is damaged and e2fsck could not repair it (status ${second.status}): ${second.said}`,
    "copy the disk before anything else; then repair it on another machine, or erase it to start anew",
  );
}

/** e2fsck(8), `-C`: lines with the pass of five, how far it is, of how much, and the device. */
const progress = /^([1-5]) (\d+) (\d+) \/dev\/\S+$/;

/** Says how far it is, and is ended when it does not get on. */
async function e2fsck(boot: BootContext, by: string, { path }: BlockDevice, ...how: readonly string[]): Promise<HelperResult> {
  let said_ms = performance.now();
  return await runHelper(boot, [by, "-C", "1", ...how, path], {
    limit_ms: check_limit_ms,
    silence_ms: check_silence_ms,
    isProgress: (line) => {
      const [, pass, done, all] = progress.exec(line) ?? [];
      if (pass === undefined) return false;
      if (performance.now() - said_ms < said_every_ms) return true;
      said_ms = performance.now();
      const percent = Math.floor((Number(done) / Math.max(1, Number(all))) * 100);
      boot.log("notice", `checking "${path}": pass ${pass} of 5, ${percent} %`);
      return true;
    },
  });
}

/** Before it is mounted: resize2fs wants a whole check then, and a file system that is grown is small. @returns what was done, in words */
export async function growFileSystem(boot: BootContext, device: BlockDevice): Promise<string[]> {
  const present_bytes = extentOfExt4(device.path);
  if (present_bytes === null || device.size_bytes - present_bytes < worth_bytes) return [];
  await e2fsck(boot, "e2fsck", device, "-f", "-p");
  const grown = await runHelper(boot, ["resize2fs", device.path], { limit_ms: grow_limit_ms });
  return [grown.status === 0 ? "file system grown" : `growing the file system failed: ${grown.said}`];
}

/** How large the superblock says that the file system is (ext4 on-disk format). @returns null when there is none */
export function extentOfExt4(path: string): number | null {
  const superblock = Buffer.alloc(1024);
  const fd = openSync(path, "r");
  try {
    if (readSync(fd, superblock, 0, superblock.length, 1024) < superblock.length || superblock.readUInt16LE(0x38) !== 0xef53) return null;
  } finally {
    closeSync(fd);
  }
  const has_64bit = (superblock.readUInt32LE(0x60) & 0x80) !== 0;
  const blocks = superblock.readUInt32LE(4) + (has_64bit ? superblock.readUInt32LE(0x150) * 2 ** 32 : 0);
  return blocks * 2 ** (10 + superblock.readUInt32LE(24));
}
