/** How much of the kernel's own limits is used up (proc(5)): open files, and processes with their threads. */

import type { Figure } from "../figure.ts";
import { readText } from "./read-text.ts";

export function readLimits(proc = "/proc"): Figure[] {
  const figures: Figure[] = [];
  const [open, , files_max] = words(`${proc}/sys/fs/file-nr`);
  if (open !== undefined && files_max !== undefined && files_max > 0)
    figures.push({
      figure: "files.used_ratio",
      subject: "system",
      value: open / files_max,
      detail: `${open} of ${files_max} files are open`,
    });
  const tasks = Number(/\/(\d+) /.exec(readText(`${proc}/loadavg`))?.[1] ?? Number.NaN);
  const [threads_max] = words(`${proc}/sys/kernel/threads-max`);
  const [pid_max] = words(`${proc}/sys/kernel/pid_max`);
  const tasks_max = Math.min(threads_max ?? Number.POSITIVE_INFINITY, pid_max ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(tasks) && Number.isFinite(tasks_max))
    figures.push({
      figure: "tasks.used_ratio",
      subject: "system",
      value: tasks / tasks_max,
      detail: `${tasks} of ${tasks_max} tasks`,
    });
  return figures;
}

function words(path: string): number[] {
  const text = readText(path).trim();
  return text === "" ? [] : text.split(/\s+/).map(Number);
}
