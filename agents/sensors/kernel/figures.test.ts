import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readFileSystemErrors } from "./file-systems.ts";
import { readHeat } from "./heat.ts";
import { readLimits } from "./limits.ts";

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "kernel-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test("open files and tasks against what the kernel allows", () => {
  const proc = tree({
    "sys/fs/file-nr": "960\t0\t1000\n",
    "sys/kernel/threads-max": "500\n",
    "sys/kernel/pid_max": "400\n",
    loadavg: "0.50 0.10 0.05 2/300 9999\n",
  });
  expect(readLimits(proc)).toEqual([
    { figure: "files.used_ratio", subject: "system", value: 0.96, detail: "960 of 1000 files are open" },
    { figure: "tasks.used_ratio", subject: "system", value: 0.75, detail: "300 of 400 tasks" },
  ]);
  expect(readLimits(tree({ x: "" }))).toEqual([]);
  expect(readLimits().map(({ figure }) => figure)).toEqual(["files.used_ratio", "tasks.used_ratio"]);
});

test("heat against the critical temperature, else the highest; who names none is not judged", () => {
  const sys = tree({
    "class/hwmon/hwmon0/temp1_input": "95000\n",
    "class/hwmon/hwmon0/temp1_crit": "100000\n",
    "class/hwmon/hwmon0/temp1_max": "80000\n",
    "class/hwmon/hwmon1/temp2_input": "30000\n",
    "class/hwmon/hwmon1/temp2_max": "60000\n",
    "class/hwmon/hwmon1/temp3_input": "30000\n",
  });
  expect(readHeat(sys).map(({ subject, value }) => [subject, value])).toEqual([
    ["hwmon0/temp1", 0.95],
    ["hwmon1/temp2", 0.5],
  ]);
  expect(readHeat(tree({ x: "" }))).toEqual([]);
});

test("errors of ext4, by device", () => {
  const sys = tree({ "fs/ext4/features/lazy_itable_init": "", "fs/ext4/vda4/errors_count": "2\n", "fs/ext4/vdb/errors_count": "0\n" });
  expect(readFileSystemErrors(sys).map(({ subject, value }) => [subject, value])).toEqual([
    ["vda4", 2],
    ["vdb", 0],
  ]);
  expect(readFileSystemErrors(tree({ x: "" }))).toEqual([]);
});
