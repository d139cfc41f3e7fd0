/** The disk of `make run`: its data partition is kept, its system is that of the last build. */

import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { say } from "../../tooling/progress.ts";
import { run } from "../../tooling/run.ts";
import { copyDisk, dataPartition } from "./disks.ts";

/** Sparse; the data partition grows into it at first boot. */
const disk_bytes = 4 * 1024 * 1024 * 1024;
/** Partition table and alignment in front of the first partition; the table is the machine's own. */
const table_bytes = 1024 * 1024;

export async function keepDisk(image: string, disk: string): Promise<void> {
  const stamp = `${statSync(image).mtimeMs} ${statSync(image).size}`;
  const stamp_path = `${disk}.image`;
  if (existsSync(disk) && existsSync(stamp_path) && readFileSync(stamp_path, "utf8") === stamp) return;
  if (!existsSync(disk) || !(await replaceSystem(image, disk))) {
    await copyDisk(image, disk);
    if (statSync(disk).size < disk_bytes) truncateSync(disk, disk_bytes);
  }
  writeFileSync(stamp_path, stamp);
}

/** Writes all partitions in front of the data partition anew. @returns false when the disk is laid out differently */
async function replaceSystem(image: string, disk: string): Promise<boolean> {
  const [wanted, found] = [await dataPartition(image), await dataPartition(disk)];
  if (wanted.offset_bytes !== found.offset_bytes) {
    say("the layout of the disk has changed: its data is given up");
    return false;
  }
  const options = ["bs=1M", "conv=notrunc", "iflag=skip_bytes,count_bytes", "oflag=seek_bytes", "status=none"];
  const count = wanted.offset_bytes - table_bytes;
  await run(["dd", `if=${image}`, `of=${disk}`, `skip=${table_bytes}`, `seek=${table_bytes}`, `count=${count}`, ...options]);
  say("the disk keeps its data and has the new system");
  return true;
}
