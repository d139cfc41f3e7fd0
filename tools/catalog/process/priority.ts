/** process.priority */

import { readdirSync } from "node:fs";
import { z } from "zod";
import { isSysError } from "../../../sys/errors.ts";
import { isRunning, readStat } from "../../../sys/procfs.ts";
import type { System } from "../../../sys/system.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { readCgroup, restoreCgroup, verifyCgroup, workCgroup, writeCgroup } from "./shared/cgroup-of.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

const threads_max = 4096;

const IoClass = z.enum(["none", "best-effort", "idle"]);
/** As the kernel may have it; nobody is given `realtime` here. */
const IoBefore = z.lazy(() => z.strictObject({ class: z.enum(["none", "realtime", "best-effort", "idle"]), level: z.number().int() }));

const ThreadPriority = z.lazy(() => z.strictObject({ thread: z.number().int(), nice: z.number().int(), io: IoBefore }));
type ThreadPriority = z.infer<typeof ThreadPriority>;
const Before = z.strictObject({
  pid: z.number().int(),
  started_ticks: z.number(),
  threads: z.array(ThreadPriority).max(threads_max),
  cgroup: z.strictObject({ cgroup: z.string(), file: z.string(), text: z.string() }).nullable(),
});

export const processPriority = defineTool({
  name: "process.priority",
  title: "Change the priority of a process",
  description:
    "Changes how much processor and disk time a running process gets when others want some too: nice value and I/O priority of all its threads, and the processor weight of its cgroup (programs of process.spawn and defined services only). Use it to make heavy work give way. It limits nothing when the machine is idle; for hard limits use process.limits.",
  input: z.lazy(() =>
    z.strictObject({
      ...subject_input,
      nice: z.number().int().min(-20).max(19).nullable().default(null).describe("-20 (most) to 19 (least); 0 is usual; null: unchanged"),
      io_class: IoClass.nullable()
        .default(null)
        .describe("none follows the nice value; idle gets the disk only when nobody else wants it; null: unchanged"),
      io_level: z.number().int().min(0).max(7).default(4).describe("with best-effort: 0 (most) to 7 (least)"),
      cpu_weight: z
        .number()
        .int()
        .min(1)
        .max(10_000)
        .nullable()
        .default(null)
        .describe("share against other cgroups; 100 is usual; null: unchanged"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      pid: z.number().int(),
      threads: z.number().int().describe("threads that were changed"),
      cgroup: z.string().nullable(),
    }),
  ),
  risk: "reversible",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: false,
  image: Before,
  resolve(input, context): Promise<Subject> {
    if (input.nice === null && input.io_class === null && input.cpu_weight === null)
      throw new ToolError("changing the priority failed: nothing to change is given; give nice, io_class or cpu_weight");
    return holdProcess(input, "write", context);
  },
  preview: ({ facts }, { nice, io_class, io_level, cpu_weight }) => ({
    changes: [
      ...(nice === null ? [] : [`process ${facts.pid} (${facts.name}): nice value ${facts.nice} → ${nice}`]),
      ...(io_class === null ? [] : [`process ${facts.pid} (${facts.name}): I/O priority → ${io_class} ${io_level}`]),
      ...(cpu_weight === null ? [] : [`cgroup of process ${facts.pid}: cpu.weight → ${cpu_weight}`]),
    ],
    final: [],
  }),
  snapshot({ pid, started_ticks }, { cpu_weight }, context) {
    const cgroup = cpu_weight === null ? null : workCgroup(pid, context);
    return {
      pid,
      started_ticks,
      threads: threadsOf(pid).flatMap((thread) => priorityOf(pid, thread, context.sys)),
      cgroup: cgroup === null ? null : { cgroup, file: "cpu.weight", text: readCgroup(cgroup, "cpu.weight") },
    };
  },
  run(target, { nice, io_class, io_level, cpu_weight }, context) {
    const threads = threadsOf(target.pid);
    if (!target.signal(0) || threads.length === 0)
      throw new ToolError(`changing the priority of process ${target.pid} failed: it has ended`);
    for (const thread of threads)
      whileThere(() => {
        if (nice !== null) context.sys.process.setNice(thread, nice);
        if (io_class !== null)
          context.sys.process.setIoPriority(thread, { class: io_class, level: io_class === "best-effort" ? io_level : 0 });
      });
    const cgroup = cpu_weight === null ? null : workCgroup(target.pid, context);
    if (cgroup !== null) writeCgroup(cgroup, "cpu.weight", String(cpu_weight));
    return { pid: target.pid, threads: threads.length, cgroup };
  },
  verify({ pid, started_ticks }, { nice, cpu_weight }, { cgroup }) {
    if (!isRunning(pid, started_ticks)) return;
    const is = readStat(pid)?.nice;
    if (nice !== null && is !== nice)
      throw new ToolError(`verifying the priority of process ${pid} failed: its nice value is ${is} and not ${nice}`);
    if (cgroup !== null) verifyCgroup({ cgroup, file: "cpu.weight", text: String(cpu_weight) });
  },
  undo({ pid, started_ticks, threads, cgroup }, _past, { sys }) {
    if (cgroup !== null) restoreCgroup(cgroup);
    if (!isRunning(pid, started_ticks)) return;
    const own = threads.find(({ thread }) => thread === pid);
    for (const thread of threadsOf(pid)) {
      const before = threads.find((one) => one.thread === thread) ?? own; // one that came meanwhile took it from another
      if (before !== undefined)
        whileThere(() => {
          sys.process.setNice(thread, before.nice);
          sys.process.setIoPriority(thread, before.io);
        });
    }
  },
  verifyUndone({ pid, started_ticks, threads, cgroup }, _past, { sys }) {
    if (cgroup !== null) verifyCgroup(cgroup);
    for (const before of threads) {
      const [now] = isRunning(pid, started_ticks) ? priorityOf(pid, before.thread, sys) : [];
      if (now !== undefined && JSON.stringify(now) !== JSON.stringify(before))
        throw new ToolError(
          `verifying thread ${before.thread} of process ${pid} failed: it is ${JSON.stringify(now)} and not ${JSON.stringify(before)}`,
        );
    }
  },
});

/** setpriority(2) and ioprio_set(2) change one thread, in spite of what POSIX says: all are gone through. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).slice(0, threads_max).map(Number);
  } catch {
    return [];
  }
}

/** @returns nothing when the thread has ended */
function priorityOf(pid: number, thread: number, sys: System): ThreadPriority[] {
  try {
    const stat = readStat(pid, thread);
    return stat === null ? [] : [{ thread, nice: stat.nice, io: sys.process.ioPriority(thread) }];
  } catch (error) {
    if (isSysError(error, "ESRCH")) return [];
    throw error;
  }
}

function whileThere(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isSysError(error, "ESRCH")) throw error;
  }
}
