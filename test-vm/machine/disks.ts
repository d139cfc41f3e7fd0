/** Disks of test machines: sparse files, partitioned without being mounted. */

import { closeSync, constants, existsSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { z } from "zod";
import { run } from "../../tooling/run.ts";

/** Type of the data partition (Discoverable Partitions Specification: variable data; docs/LAYOUT.md). */
const data_partition_type = "4d21b016-b534-45c2-a9fb-5c16e091fd2d";

const esp_type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

const sector_bytes = 512;

/** An empty disk. */
export function makeBlankDisk(path: string, mebibytes: number): void {
  const fd = openSync(path, "w");
  ftruncateSync(fd, mebibytes * 1024 * 1024);
  closeSync(fd);
}

/**
 * A disk with a data partition that has never been formatted, as after flashing.
 * @param userland its base, on an EFI system partition besides
 */
export async function makeDataDisk(path: string, mebibytes = 512, userland: string | null = null): Promise<void> {
  makeBlankDisk(path, mebibytes);
  const esp = userland === null ? "" : `size=64MiB, type=${esp_type}, name="esp"\n`;
  await run(["sfdisk", "--quiet", path], { stdin: `label: gpt\n${esp}type=${data_partition_type}, name="data"\n` });
  if (userland === null) return;
  const { offset_bytes, size_bytes } = await partitionOf(path, esp_type);
  const drive = `${path}@@${offset_bytes}`;
  await run(["mformat", "-i", drive, "-T", String(size_bytes / sector_bytes), "-h", "64", "-s", "32", "::"]);
  await run(["mmd", "-i", drive, "::/aios"]);
  await run(["mcopy", "-i", drive, userland, "::/aios/userland.erofs"]);
}

/** A copy that shares what it can with the original. */
export async function copyDisk(from: string, to: string): Promise<void> {
  await run(["cp", "--sparse=always", "--reflink=auto", from, to]);
}

const Table = z.object({
  partitiontable: z.object({
    partitions: z.array(z.object({ node: z.string(), start: z.number(), size: z.number(), type: z.string(), name: z.string().optional() })),
  }),
});

export interface Place {
  readonly offset_bytes: number;
  readonly size_bytes: number;
}

/** Where a disk's data partition is. */
export function dataPartition(disk: string): Promise<Place> {
  return partitionOf(disk, data_partition_type);
}

async function partitionOf(disk: string, type: string): Promise<Place> {
  const table = Table.parse(JSON.parse(await run(["sfdisk", "--json", disk])));
  const found = table.partitiontable.partitions.find((partition) => partition.type.toLowerCase() === type);
  if (found === undefined) throw new Error(`looking for a partition of "${disk}" failed: it has none of type ${type}`);
  return { offset_bytes: found.start * sector_bytes, size_bytes: found.size * sector_bytes };
}

/** Puts a machine config on the EFI system partition, as a person does with any computer that reads FAT. */
export async function putConfig(disk: string, file: string): Promise<void> {
  const { offset_bytes } = await partitionOf(disk, esp_type);
  await run(["mcopy", "-o", "-i", `${disk}@@${offset_bytes}`, file, "::/aios.yaml"]);
}

/**
 * A stick with a file system labelled AIOS-CONFIG, as other computers make them: FAT, on the whole stick or in the one
 * partition of an MBR.
 * @param text of aios.yaml
 */
export async function makeConfigStick(path: string, text: string, partitioned: boolean): Promise<void> {
  const mebibytes = 16;
  const offset_bytes = partitioned ? 1024 * 1024 : 0;
  const drive = `${path}@@${offset_bytes}`;
  makeBlankDisk(path, mebibytes);
  if (partitioned) await run(["sfdisk", "--quiet", path], { stdin: "label: dos\nstart=2048, type=c\n" });
  const sectors = (mebibytes * 1024 * 1024 - offset_bytes) / sector_bytes;
  await run(["mformat", "-i", drive, "-T", String(sectors), "-h", "64", "-s", "32", "-v", "AIOS-CONFIG", "::"]);
  const file = `${path}.yaml`;
  writeFileSync(file, text);
  await run(["mcopy", "-o", "-i", drive, file, "::/aios.yaml"]);
}

/** Copies the data partition out of a disk, so that the tools for file systems can read it. */
export async function extractDataPartition(disk: string, to: string): Promise<void> {
  const { offset_bytes, size_bytes } = await dataPartition(disk);
  const options = ["bs=1M", "conv=sparse", "iflag=skip_bytes,count_bytes", "status=none"];
  await run(["dd", `if=${disk}`, `of=${to}`, `skip=${offset_bytes}`, `count=${size_bytes}`, ...options]);
}

/** Overwrites the beginning of the data partition, its superblock included, and every backup within reach. */
export async function breakDataPartition(disk: string): Promise<void> {
  const { offset_bytes, size_bytes } = await dataPartition(disk);
  const fd = openSync(disk, constants.O_RDWR);
  const noise = Buffer.alloc(1024 * 1024, "not a file system ");
  for (let at = 0; at + noise.length <= size_bytes; at += 8 * noise.length) writeSync(fd, noise, 0, noise.length, offset_bytes + at);
  closeSync(fd);
}

/**
 * What a boot does with a data partition after a power cut: replays the journal, and mends what e2fsck(8) takes for safe.
 * @throws {CommandFailed} when that is not enough
 */
export async function recoverFileSystem(file: string): Promise<void> {
  // 1 and 2 of its status: something was mended
  await run(["sh", "-c", 'said=$(e2fsck -f -p "$1" 2>&1); [ $? -le 3 ] || { echo "$said"; exit 1; }', "sh", file]);
}

/** Copies a folder out of an ext4 file system that is not mounted. debugfs(8) ends with 0 whatever went wrong. @throws when it is not there */
export async function copyFolderOut(file: string, folder: string, to: string): Promise<string> {
  const said = await run(["sh", "-c", 'debugfs -R "rdump /$2 $3" "$1" 2>&1', "sh", file, folder, to]);
  const copied = `${to}/${folder}`;
  if (!existsSync(copied)) throw new Error(`copying "/${folder}" out of "${file}" failed: ${said.trim()}`);
  return copied;
}

/** Whether the ext4 file system was unmounted cleanly: nothing to recover, nothing to check. */
export async function isCleanFileSystem(file: string): Promise<{ readonly clean: boolean; readonly said: string }> {
  const text = await run(["dumpe2fs", "-h", file]);
  const state = /^Filesystem state:\s+(.*)$/m.exec(text)?.[1] ?? "unknown";
  const features = /^Filesystem features:\s+(.*)$/m.exec(text)?.[1] ?? "";
  const needs_recovery = features.split(/\s+/).includes("needs_recovery");
  return { clean: state === "clean" && !needs_recovery, said: `state "${state}", features "${features}"` };
}
