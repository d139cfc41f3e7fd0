/** process.limits */

import { z } from "zod";
import { isSysError } from "../../../sys/errors.ts";
import { type ProcessLimit, process_limits } from "../../../sys/process.ts";
import { isRunning } from "../../../sys/procfs.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { readCgroup, restoreCgroup, verifyCgroup, workCgroup, writeCgroup } from "./shared/cgroup-of.ts";
import { procText } from "./shared/facts.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

const Amount = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullable();
const Resource = z.enum(Object.keys(process_limits) as [ProcessLimit, ...ProcessLimit[]]);
const Rlimit = z.lazy(() =>
  z.strictObject({
    resource: Resource.describe(
      "as in setrlimit(2): nofile open files, as address space in bytes, cpu seconds, fsize bytes of a file, nproc processes of its user, …",
    ),
    soft: Amount.describe("what counts now; null: no limit"),
    hard: Amount.describe("how far the process may raise it itself; null: no limit"),
  }),
);

const Before = z.strictObject({
  pid: z.number().int(),
  started_ticks: z.number(),
  rlimits: z.array(Rlimit),
  cgroup: z.array(z.strictObject({ cgroup: z.string(), file: z.string(), text: z.string() })),
});

interface Wish {
  readonly memory_max_bytes: number | null;
  readonly pids_max: number | null;
}

export const processLimits = defineTool({
  name: "process.limits",
  title: "Change the limits of a process",
  description:
    "Sets hard limits of a running process: rlimits (prlimit(2)), and for programs of process.spawn and defined services the memory and the number of processes of their cgroup. Use it to stop something from growing further. Too low a memory limit makes the kernel kill what is in the cgroup. To make a process only give way use process.priority.",
  input: z.lazy(() =>
    z.strictObject({
      ...subject_input,
      rlimits: z.array(Rlimit).max(Object.keys(process_limits).length).default([]).describe("rlimits to set"),
      memory_max_bytes: z
        .number()
        .int()
        .min(1024 * 1024)
        .max(Number.MAX_SAFE_INTEGER)
        .nullable()
        .default(null)
        .describe("memory.max of its cgroup; null: unchanged"),
      pids_max: z.number().int().min(4).max(65_536).nullable().default(null).describe("pids.max of its cgroup; null: unchanged"),
    }),
  ),
  output: z.lazy(() => z.strictObject({ pid: z.number().int(), rlimits: z.array(Rlimit), cgroup: z.string().nullable() })),
  risk: "reversible",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: false,
  image: Before,
  async resolve(input, context): Promise<Subject> {
    if (input.rlimits.length === 0 && input.memory_max_bytes === null && input.pids_max === null)
      throw new ToolError("changing limits failed: nothing to change is given; give rlimits, memory_max_bytes or pids_max");
    for (const { resource, soft, hard } of input.rlimits)
      if (hard !== null && (soft === null || soft > hard))
        throw new ToolError(`changing the limit "${resource}" failed: the soft limit ${soft ?? "none"} is above the hard one, ${hard}`);
    const subject = await holdProcess(input, "write", context);
    try {
      for (const { resource, hard } of input.rlimits) refuseOneWay(resource, hard, context.sys.process.limit(subject.pid, resource).hard);
    } catch (error) {
      subject.close();
      throw error;
    }
    return subject;
  },
  preview: ({ facts }, { rlimits, ...wish }) => ({
    changes: [
      ...rlimits.map(
        ({ resource, soft, hard }) => `process ${facts.pid} (${facts.name}): ${resource} → ${soft ?? "none"} (hard ${hard ?? "none"})`,
      ),
      ...cgroupFiles(wish).map(([file, text]) => `cgroup of process ${facts.pid}: ${file} → ${text}`),
    ],
    final: [],
  }),
  snapshot({ pid, started_ticks }, { rlimits, ...wish }, context) {
    const files = cgroupFiles(wish);
    const cgroup = files.length === 0 ? "" : workCgroup(pid, context);
    return {
      pid,
      started_ticks,
      rlimits: rlimits.map(({ resource }) => ({ resource, ...context.sys.process.limit(pid, resource) })),
      cgroup: files.map(([file]) => ({ cgroup, file, text: readCgroup(cgroup, file) })),
    };
  },
  run(target, { rlimits, ...wish }, context) {
    if (!target.signal(0)) throw new ToolError(`changing limits of process ${target.pid} failed: it has ended`);
    for (const { resource, soft, hard } of rlimits) context.sys.process.setLimit(target.pid, resource, { soft, hard });
    const files = cgroupFiles(wish);
    const cgroup = files.length === 0 ? null : workCgroup(target.pid, context);
    if (cgroup !== null) for (const [file, text] of files) writeCgroup(cgroup, file, text);
    return {
      pid: target.pid,
      rlimits: rlimits.map(({ resource }) => ({ resource, ...context.sys.process.limit(target.pid, resource) })),
      cgroup,
    };
  },
  verify(_target, { rlimits }, output) {
    for (const { resource, soft, hard } of rlimits) {
      const is = output.rlimits.find((one) => one.resource === resource);
      if (is?.soft !== soft || is.hard !== hard)
        throw new ToolError(`verifying the limit "${resource}" failed: it is ${JSON.stringify(is)}`);
    }
  },
  undo({ pid, started_ticks, rlimits, cgroup }, _past, { sys }) {
    for (const value of cgroup) restoreCgroup(value);
    if (!isRunning(pid, started_ticks)) return;
    for (const { resource, soft, hard } of rlimits) sys.process.setLimit(pid, resource, { soft, hard });
  },
  verifyUndone({ pid, started_ticks, rlimits, cgroup }, _past, { sys }) {
    for (const value of cgroup) verifyCgroup(value);
    if (!isRunning(pid, started_ticks)) return;
    for (const { resource, soft, hard } of rlimits) {
      const now = limitNow(() => sys.process.limit(pid, resource));
      if (now !== null && (now.soft !== soft || now.hard !== hard))
        throw new ToolError(`verifying the limit "${resource}" of process ${pid} failed: it is ${JSON.stringify(now)}`);
    }
  },
});

/** capabilities(7): CAP_SYS_RESOURCE, without which a hard limit only goes down. */
const cap_sys_resource = 24n;

/** @throws {ToolError} when undo could not raise the hard limit again */
function refuseOneWay(resource: string, hard: number | null, before: number | null): void {
  const lowers = hard !== null && (before === null || hard < before);
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(procText(process.pid, "status"))?.[1] ?? "0"}`);
  if (lowers && (capabilities & (1n << cap_sys_resource)) === 0n)
    throw new ToolError(
      `lowering the hard limit "${resource}" failed: it could not be raised again, for the broker has no CAP_SYS_RESOURCE here; keep it at ${before ?? "no limit"} and lower the soft one`,
    );
}

function cgroupFiles({ memory_max_bytes, pids_max }: Wish): [file: string, text: string][] {
  const files: [string, string][] = [];
  if (memory_max_bytes !== null) files.push(["memory.max", String(memory_max_bytes)]);
  if (pids_max !== null) files.push(["pids.max", String(pids_max)]);
  return files;
}

/** @returns null when the process has ended */
function limitNow<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isSysError(error, "ESRCH")) return null;
    throw error;
  }
}
