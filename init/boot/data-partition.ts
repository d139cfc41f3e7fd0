/** The data partition in the table of its disk: found, made, grown. Every change is told to the kernel without a reboot. */

import { type BlockDevice, probeBlockDevices, silentOnes } from "./block.ts";
import { mib, type Trouble, trouble, worth_bytes } from "./data-trouble.ts";
import { readNumber, reasonOf } from "./files.ts";
import { type HelperResult, runHelper } from "./helper.ts";
import type { BootContext } from "./phase.ts";

/** Discoverable Partitions Specification: variable data. */
export const data_type = "4d21b016-b534-45c2-a9fb-5c16e091fd2d";
const data_name = "data";
/** Its name in the table while it is being formatted: whatever is on it then is of a format that was cut off. */
const unfinished_name = "data-unfinished";
/** Of the file system on it. */
export const data_label = "aios-data";
const root_names: readonly string[] = ["root-a", "root-b"];
const sector_bytes = 512;
const table_limit_ms = 20_000;

/**
 * On the root's own disk before any other. Elsewhere the type alone says little: it is that of every system's /var, so there it has to be
 * blank, or a file system that is labelled as ours.
 */
export function chooseData(devices: readonly BlockDevice[], root_disk: string | null): BlockDevice | null {
  const all = devices.filter((device) => device.part_type === data_type);
  const isOurs = ({ type, table, label }: BlockDevice): boolean => (type === null && table === null) || label === data_label;
  return all.find(({ disk }) => disk === root_disk) ?? all.find(isOurs) ?? null;
}

/** The disk on which aiOS is: it carries the root, or a slot of it (when the root came from elsewhere). */
function homeDisk(devices: readonly BlockDevice[], root_disk: string | null): BlockDevice | null {
  const whole = (name: string | undefined): BlockDevice | null =>
    devices.find((device) => device.name === name && device.part_number === null && device.table === "gpt") ?? null;
  const slot = devices.find((device) => device.part_name !== null && root_names.includes(device.part_name));
  return whole(root_disk ?? undefined) ?? whole(slot?.disk);
}

export async function makePartition(
  boot: BootContext,
  devices: readonly BlockDevice[],
  root_disk: string | null,
): Promise<BlockDevice | Trouble> {
  const disk = homeDisk(devices, root_disk);
  const silent = silentOnes(devices);
  if (silent !== null)
    return trouble(`no data partition is to be seen, and ${silent}: it may be there`, "look at that disk, or pull it out, and reboot");
  const todo = `add a partition of type ${data_type} (sfdisk, or systemd-repart) and reboot`;
  if (disk === null) return trouble("there is no data partition, and no disk of aiOS with a GPT on which to make one", todo);
  if (disk.read_only) return trouble(`there is no data partition, and "${disk.path}" is write-protected`, todo);
  const relocated = await moveBackupTable(boot, disk.path);
  if (relocated.status !== 0) return trouble(`moving the backup partition table of "${disk.path}" failed: ${relocated.said}`, todo);
  const before = await readTable(boot, disk.path);
  const free_bytes = before === null ? 0 : freeAtEnd(before);
  if (free_bytes < worth_bytes)
    return trouble(`there is no data partition, and "${disk.path}" has only ${mib(free_bytes)} MiB free for one`, "use a larger disk");
  const line = `type=${data_type}, name=${unfinished_name}\n`;
  const made = await runHelper(boot, sfdisk("--append", disk.path), { limit_ms: table_limit_ms, stdin: line });
  if (made.status !== 0) return trouble(`making a partition on "${disk.path}" failed: ${made.said}`, todo);
  return tellKernel(boot, disk, "add", (entry) => entry.type === data_type);
}

/** @returns the partition with its new size, or null when there was nothing to grow into */
export async function growPartition(boot: BootContext, device: BlockDevice, devices: readonly BlockDevice[]): Promise<BlockDevice | null> {
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

/** A format of it was begun, and was cut off: by a power cut, say. */
export function isUnfinished({ part_name }: Pick<BlockDevice, "part_name">): boolean {
  return part_name === unfinished_name;
}

/** Written to the table at once. What has no table, or one that cannot be written, does without. */
export async function markUnfinished(boot: BootContext, { disk, part_number, path }: BlockDevice, is_unfinished: boolean): Promise<void> {
  if (part_number === null) return;
  const name = is_unfinished ? unfinished_name : data_name;
  const named = await runHelper(boot, sfdisk("--part-label", `/dev/${disk}`, String(part_number), name), { limit_ms: table_limit_ms });
  if (named.status !== 0) boot.log("warning", `naming "${path}" "${name}" failed: ${named.said}`);
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
  const { partitiontable } = Sfdisk.parse(JSON.parse(told.stdout.toString()));
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
