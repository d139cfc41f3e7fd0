/** Disks that run full. */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inodesUsedRatio, mibUntil, usedRatio, writeMib } from "../effects.ts";
import type { Fault } from "../fault.ts";

const full = 0.95;
const well = 0.85;
const noticed = { alarms: ["disk-full"], subject: "data" } as const;

export const disk_faults: readonly Fault[] = [
  {
    name: "disk-full-by-cache",
    family: "disk",
    what: "a cache takes the whole disk",
    noticed,
    inject({ disk, folders }) {
      writeMib(join(folders.cache, "downloads"), mibUntil(disk, full));
      return () => usedRatio(disk) < well;
    },
    clean: ({ folders }) => rmSync(join(folders.cache, "downloads"), { force: true }),
  },
  {
    name: "disk-full-by-temporary-files",
    family: "disk",
    what: "somebody leaves temporary files behind",
    noticed,
    inject({ disk, folders }) {
      const each = Math.ceil(mibUntil(disk, full) / 20);
      for (let n = 0; n < 20; n += 1) writeMib(join(folders.temporary, `upload-${n}`), each);
      return () => usedRatio(disk) < well;
    },
    clean({ folders }) {
      for (let n = 0; n < 20; n += 1) rmSync(join(folders.temporary, `upload-${n}`), { force: true });
    },
  },
  {
    name: "disk-full-by-log",
    family: "disk",
    what: "a log grows until the disk is full",
    noticed,
    inject({ disk, folders }) {
      writeMib(join(folders.logs, "access.log"), mibUntil(disk, full));
      return () => usedRatio(disk) < well;
    },
    clean: ({ folders }) =>
      rmSync(folders.logs, { recursive: true, force: true, maxRetries: 3 }) ?? mkdirSync(folders.logs, { recursive: true }),
  },
  {
    name: "inodes-by-cache",
    family: "disk",
    what: "a cache of tiny files takes all inodes",
    noticed: { alarms: ["disk-inodes"], subject: "data" },
    inject({ disk, folders }) {
      const folder = join(folders.cache, "sessions");
      mkdirSync(folder, { recursive: true });
      for (let n = 0; inodesUsedRatio(disk) < full; n += 1) writeFileSync(join(folder, `s${n}`), "");
      return () => inodesUsedRatio(disk) < well;
    },
    clean: ({ folders }) => rmSync(join(folders.cache, "sessions"), { recursive: true, force: true }),
  },
  {
    name: "deleted-file-held",
    family: "disk",
    what: "a service keeps a deleted file of 150 MiB open",
    noticed: { alarms: ["deleted-file-open"], subject: "web" },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = usedRatio(ground.disk);
      await ground.patient("web").tell("hold 150");
      return () => usedRatio(ground.disk) < before + 0.1;
    },
  },
];
