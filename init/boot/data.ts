/**
 * The data partition: found by its type on any disk, made at the first boot, checked, grown to its disk and mounted.
 *
 * What must not happen is that something of value is written over. So a partition is formatted only when its first bytes
 * are all zero or this very boot has made it, and blkid knows nothing in it. A file system that fsck cannot mend is left
 * alone. In every such case the system runs on a tmpfs, says that nothing will be kept, and says what to do.
 */

import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readSync } from "node:fs";
import { data_dir } from "../../contracts/paths.ts";
import { mountPoints } from "./api-file-systems.ts";
import { type BlockDevice, probeBlockDevices, rootDisk } from "./block.ts";
import { readNumber, readText, reasonOf } from "./files.ts";
import { type HelperResult, runHelper } from "./helper.ts";
import type { BootContext, Phase, PhaseResult } from "./phase.ts";
import { degraded, done } from "./result.ts";

/** Discoverable Partitions Specification: variable data. */
export const data_type = "4d21b016-b534-45c2-a9fb-5c16e091fd2d";
const data_name = "data";
const data_label = "aios-data";
const root_names: readonly string[] = ["root-a", "root-b"];

/** Less free room than this makes no partition and is not worth growing by. */
const worth_bytes = 32 * 1024 * 1024;
const sector_bytes = 512;
/** How much of a partition has to be zero before it counts as blank. */
const blank_bytes = 1024 * 1024;
const table_limit_ms = 20_000;
const format_limit_ms = 120_000;
const grow_limit_ms = 300_000;
/** A large file system after a power cut takes minutes; without a journal, more. */
const check_limit_ms = 20 * 60_000;

const tmpfs_data = "mode=0755,size=25%,nr_inodes=200k";

interface DataFolder {
  readonly name: string;
  readonly uid: number;
  readonly mode: number;
}

/** Owners as in docs/LAYOUT.md. */
export const data_folders: readonly DataFolder[] = [
  { name: "memory", uid: 801, mode: 0o700 },
  { name: "broker", uid: 0, mode: 0o700 },
  { name: "log", uid: 0, mode: 0o755 },
  { name: "srv", uid: 0, mode: 0o755 },
  { name: "work", uid: 0, mode: 0o755 },
  { name: "dhcpcd", uid: 0, mode: 0o755 },
  { name: "chrony", uid: 811, mode: 0o750 },
];

export const dataPartition: Phase = {
  name: "data partition",
  what: "Where everything lives that changes and is kept",
  modes: "both",
  limit_ms: check_limit_ms + grow_limit_ms,
  run: async (boot) => {
    const result = await mountData(boot);
    try {
      makeFolders(data_dir);
    } catch (error) {
      return degraded("data partition", `making folders on "${data_dir}" failed: ${reasonOf(error)}`, "look at the disk, or replace it");
    }
    return result;
  },
};

async function mountData(boot: BootContext): Promise<PhaseResult> {
  const handed_over = mountPoints(readText("/proc/self/mountinfo") ?? "").has(data_dir);
  if (handed_over) {
    boot.state.data = { persistent: true, mount: data_dir, device: null, detail: "mounted by who started this system" };
    return done(boot.state.data.detail);
  }
  if (boot.mode === "container")
    return onTmpfs(boot, { trouble: "the container was started without a data folder", todo: "start it with one" });
  let prepared: PreparedData | Trouble;
  try {
    prepared = await prepareData(boot, await probeBlockDevices(boot), rootDisk());
  } catch (error) {
    prepared = trouble(reasonOf(error), "look at the kernel log and at the disks, then reboot");
  }
  if ("trouble" in prepared) return onTmpfs(boot, prepared);
  return mountPrepared(boot, prepared, data_dir);
}

export interface Trouble {
  readonly trouble: string;
  readonly todo: string;
}

interface PreparedData {
  readonly device: BlockDevice;
  /** What was done to it: `made`, `formatted`, `repaired`. */
  readonly steps: readonly string[];
  /** The file system was damaged and mended: people should know. */
  readonly mended: boolean;
}

/** Finds, makes, formats, grows and checks the data partition, up to where it can be mounted. Never throws. */
export async function prepareData(
  boot: BootContext,
  devices: readonly BlockDevice[],
  root_disk: string | null,
): Promise<PreparedData | Trouble> {
  try {
    const steps: string[] = [];
    let fresh = false;
    let device = chooseData(devices, root_disk);
    if (device === null) {
      const made = await makePartition(boot, devices, root_disk);
      if ("trouble" in made) return made;
      device = made;
      fresh = true;
      steps.push(`made "${device.path}"`);
    } else {
      const grown = await growPartition(boot, device, devices);
      if (grown !== null) {
        device = grown;
        steps.push("grown to its disk");
      }
    }
    if (device.read_only) return trouble(`"${device.path}" is write-protected`, "take the protection away, or use another disk");
    const formatted = await formatIfBlank(boot, device, fresh);
    if (formatted !== null && "trouble" in formatted) return formatted;
    if (formatted !== null) {
      steps.push("formatted");
      return { device: formatted, steps, mended: false };
    }
    const checked = await check(boot, device);
    if ("trouble" in checked) return checked;
    return { device, steps: checked.mended ? [...steps, "repaired"] : steps, mended: checked.mended };
  } catch (error) {
    return trouble(`preparing the data partition failed: ${reasonOf(error)}`, "look at the kernel log and at the disk");
  }
}

function trouble(text: string, todo: string): Trouble {
  return { trouble: text, todo };
}

/** On the root's own disk before any other. */
function chooseData(devices: readonly BlockDevice[], root_disk: string | null): BlockDevice | null {
  const all = devices.filter((device) => device.part_type === data_type);
  return all.find((device) => device.disk === root_disk) ?? all[0] ?? null;
}

/** The disk on which aiOS is: it carries the root, or a slot of it (when the root came from elsewhere). */
function homeDisk(devices: readonly BlockDevice[], root_disk: string | null): BlockDevice | null {
  const whole = (name: string | undefined): BlockDevice | null =>
    devices.find((device) => device.name === name && device.part_number === null && device.table === "gpt") ?? null;
  const slot = devices.find((device) => device.part_name !== null && root_names.includes(device.part_name));
  return whole(root_disk ?? undefined) ?? whole(slot?.disk);
}

async function makePartition(boot: BootContext, devices: readonly BlockDevice[], root_disk: string | null): Promise<BlockDevice | Trouble> {
  const disk = homeDisk(devices, root_disk);
  const todo = `add a partition of type ${data_type} (sfdisk, or systemd-repart) and reboot`;
  if (disk === null) return trouble("there is no data partition, and no disk of aiOS with a GPT on which to make one", todo);
  if (disk.read_only) return trouble(`there is no data partition, and "${disk.path}" is write-protected`, todo);
  const relocated = await moveBackupTable(boot, disk.path);
  if (relocated.status !== 0) return trouble(`moving the backup partition table of "${disk.path}" failed: ${relocated.said}`, todo);
  const before = await readTable(boot, disk.path);
  const free_bytes = before === null ? 0 : freeAtEnd(before);
  if (free_bytes < worth_bytes)
    return trouble(`there is no data partition, and "${disk.path}" has only ${mib(free_bytes)} MiB free for one`, "use a larger disk");
  const line = `type=${data_type}, name=${data_name}\n`;
  const made = await runHelper(boot, sfdisk("--append", disk.path), { limit_ms: table_limit_ms, stdin: line });
  if (made.status !== 0) return trouble(`making a partition on "${disk.path}" failed: ${made.said}`, todo);
  return tellKernel(boot, disk, "add", (entry) => entry.type === data_type);
}

/** @returns the partition with its new size, or null when there was nothing to grow into */
async function growPartition(boot: BootContext, device: BlockDevice, devices: readonly BlockDevice[]): Promise<BlockDevice | null> {
  const disk = devices.find(({ name }) => name === device.disk);
  if (disk === undefined || disk.read_only || disk.table !== "gpt" || device.part_number === null) return null;
  const start_sectors = readNumber(`/sys/class/block/${device.name}/start`) ?? 0;
  const after_bytes = disk.size_bytes - start_sectors * sector_bytes - device.size_bytes;
  if (after_bytes < worth_bytes) return null; // this costs nothing; what follows runs programs
  if ((await moveBackupTable(boot, disk.path)).status !== 0) return null;
  const table = await readTable(boot, disk.path);
  const last = table?.partitions.reduce((a, b) => (a.start > b.start ? a : b));
  if (table === null || last?.node !== device.path || freeAtEnd(table) < worth_bytes) return null;
  const grown = await runHelper(boot, sfdisk(disk.path, "-N", String(device.part_number)), { limit_ms: table_limit_ms, stdin: ", +\n" });
  if (grown.status !== 0) {
    boot.log("warning", `growing "${device.path}" failed, it stays as large as it is: ${grown.said}`);
    return null;
  }
  const told = await tellKernel(boot, disk, "resize", (entry) => entry.node === device.path);
  if (!("trouble" in told)) return { ...told, type: device.type, label: device.label };
  boot.log("warning", `growing "${device.path}": ${told.trouble}`);
  return null;
}

/** `--force`: others of the disk's partitions are mounted. `--no-tell-kernel`: it would ask for the whole table to be read again, which the kernel refuses then. */
function sfdisk(...rest: readonly string[]): string[] {
  return ["sfdisk", "--quiet", "--force", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never", ...rest];
}

/** After a disk has become larger, its second table is no longer at its end. */
function moveBackupTable(boot: BootContext, disk: string): Promise<HelperResult> {
  return runHelper(boot, ["sfdisk", "--quiet", "--force", "--no-tell-kernel", "--relocate", "gpt-bak-std", disk], {
    limit_ms: table_limit_ms,
  });
}

interface TableEntry {
  readonly node: string;
  /** Sectors. */
  readonly start: number;
  readonly size: number;
  readonly type: string;
}

interface Table {
  readonly sector_bytes: number;
  /** Last usable sector. */
  readonly last: number;
  readonly partitions: readonly TableEntry[];
}

async function readTable(boot: BootContext, disk: string): Promise<Table | null> {
  const { z } = await import("zod");
  const Sfdisk = z.object({
    partitiontable: z.object({
      label: z.literal("gpt"),
      sectorsize: z.number().int().positive(),
      lastlba: z.number().int().positive(),
      partitions: z.array(z.object({ node: z.string(), start: z.number().int(), size: z.number().int(), type: z.string() })).default([]),
    }),
  });
  const told = await runHelper(boot, ["sfdisk", "--json", disk], { limit_ms: table_limit_ms });
  if (told.status !== 0) return null;
  const { partitiontable } = Sfdisk.parse(JSON.parse(told.stdout));
  return {
    sector_bytes: partitiontable.sectorsize,
    last: partitiontable.lastlba,
    partitions: partitiontable.partitions.map((entry) => ({ ...entry, type: entry.type.toLowerCase() })),
  };
}

/** Bytes behind the last partition. */
function freeAtEnd(table: Table): number {
  const used_to = table.partitions.reduce((end, { start, size }) => Math.max(end, start + size), 0);
  return Math.max(0, table.last + 1 - used_to) * table.sector_bytes;
}

/** Makes the kernel see what sfdisk wrote. */
async function tellKernel(
  boot: BootContext,
  disk: BlockDevice,
  change: "add" | "resize",
  wanted: (entry: TableEntry) => boolean,
): Promise<BlockDevice | Trouble> {
  const table = await readTable(boot, disk.path);
  const entry = table?.partitions.find(wanted);
  const number = Number(/(\d+)$/.exec(entry?.node ?? "")?.[1] ?? 0);
  if (table === null || entry === undefined || number === 0)
    return trouble(`the partition table of "${disk.path}" does not hold what was written`, "check the disk");
  const size_bytes = entry.size * table.sector_bytes;
  try {
    boot.sys.device.tellPartition(disk.path, change, { number, start_bytes: entry.start * table.sector_bytes, size_bytes });
  } catch (error) {
    const known = readNumber(`/sys/class/block/${entry.node.slice("/dev/".length)}/size`);
    if (known === null || known * sector_bytes !== size_bytes)
      return trouble(reasonOf(error), "reboot: the kernel will read the new table");
  }
  const again = await probeBlockDevices(boot, [entry.node.slice("/dev/".length)]);
  const found = again[0];
  if (found?.part_type !== data_type) return trouble(`"${entry.node}" did not appear as a data partition`, "reboot");
  return found;
}

/** @returns null when there is an ext4 file system already */
async function formatIfBlank(boot: BootContext, device: BlockDevice, fresh: boolean): Promise<BlockDevice | Trouble | null> {
  if (device.type === "ext4") return null;
  const foreign = "if nothing on it is wanted, erase its start (wipefs) on another machine; aiOS formats it at the next boot";
  if (device.type !== null || device.table !== null)
    return trouble(
      `the data partition "${device.path}" holds ${device.type ?? `a ${device.table} table`}, not ext4: it is not touched`,
      foreign,
    );
  if (!fresh && !isBlank(device.path))
    return trouble(`the data partition "${device.path}" holds data of an unknown kind: it is not touched`, foreign);
  const made = await runHelper(
    boot,
    ["mke2fs", "-q", "-F", "-t", "ext4", "-L", data_label, "-m", "1", "-E", "lazy_itable_init=1,nodiscard", device.path],
    {
      limit_ms: format_limit_ms,
    },
  );
  if (made.status !== 0)
    return trouble(`formatting "${device.path}" failed: ${made.said}`, "check the disk; replace it when it is failing");
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

async function check(boot: BootContext, device: BlockDevice): Promise<{ readonly mended: boolean } | Trouble> {
  // -p alone replays the journal and mends what is harmless; only when that gives up, everything is answered with yes
  const first = await runHelper(boot, ["e2fsck", "-p", device.path], { limit_ms: check_limit_ms });
  if (first.status >= 0 && (first.status & ~fsck_mended) === 0) return { mended: first.status !== 0 };
  boot.log(
    "warning",
    `checking "${device.path}" failed with status ${first.status}, trying a full repair: ${first.stdout.slice(-200)} ${first.said}`,
  );
  const second = await runHelper(boot, ["e2fsck", "-f", "-y", device.path], { limit_ms: check_limit_ms });
  if (second.status >= 0 && (second.status & ~fsck_mended) === 0) return { mended: true };
  return trouble(
    `the file system on "${device.path}" is damaged and e2fsck could not repair it (status ${second.status}): ${second.said}`,
    "copy the disk before anything else; then repair it on another machine, or erase it to start anew",
  );
}

/** Grows the file system to its partition where that is worth it, and mounts it. */
export async function mountPrepared(boot: BootContext, { device, steps, mended }: PreparedData, at: string): Promise<PhaseResult> {
  const grown = await growFileSystem(boot, device);
  try {
    boot.sys.mount.mount({
      source: device.path,
      target: at,
      type: "ext4",
      flags: ["nosuid", "nodev", "noatime"],
      data: "errors=remount-ro",
    });
  } catch (error) {
    return onTmpfs(boot, trouble(reasonOf(error), "look at the kernel log and at the disk"), at);
  }
  const detail = [`"${device.path}", ${mib(device.size_bytes)} MiB`, ...steps, ...grown].join(", ");
  boot.state.data = { persistent: true, mount: at, device: device.path, detail };
  if (!mended) return done(detail);
  return degraded(
    "data partition",
    `${detail}: its file system was damaged and has been repaired`,
    'look into "lost+found" for what was cut off; replace the disk if it happens again',
  );
}

/** Before it is mounted: resize2fs wants a whole check then, and a file system that is grown is small. @returns what was done, in words */
async function growFileSystem(boot: BootContext, device: BlockDevice): Promise<string[]> {
  const present_bytes = extentOfExt4(device.path);
  if (present_bytes === null || device.size_bytes - present_bytes < worth_bytes) return [];
  await runHelper(boot, ["e2fsck", "-f", "-p", device.path], { limit_ms: check_limit_ms });
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

/** The system runs, but forgets. */
export function onTmpfs(boot: BootContext, why: Trouble, at: string = data_dir): PhaseResult {
  const detail = `nothing will be kept over a reboot: ${why.trouble}`;
  boot.state.data = { persistent: false, mount: at, device: null, detail };
  try {
    boot.sys.mount.mount({ source: "aios-data", target: at, type: "tmpfs", flags: ["nosuid", "nodev", "noatime"], data: tmpfs_data });
  } catch (error) {
    return degraded("data partition", `${detail}; and no tmpfs either: ${reasonOf(error)}`, why.todo);
  }
  return degraded("data partition", detail, why.todo);
}

/** Those that are there keep what is in them; their owner and mode are set. @throws */
export function makeFolders(root: string): void {
  for (const { name, uid, mode } of data_folders) {
    const path = `${root}/${name}`;
    mkdirSync(path, { recursive: true });
    chownSync(path, uid, uid);
    chmodSync(path, mode);
  }
}

function mib(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024));
}
