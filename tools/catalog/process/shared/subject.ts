/**
 * The process that a call is about, held by a pidfd from the moment it was looked at: whoever has its pid later is another
 * one, and is never hit.
 */

import { z } from "zod";
import { CallId, type Resource } from "../../../../contracts/tool.ts";
import { isSysError } from "../../../../sys/errors.ts";
import { readStat, type Stat } from "../../../../sys/procfs.ts";
import type { Context } from "../../../context.ts";
import type { Started } from "../../../exec/exec.ts";
import { type Target, ToolError } from "../../../tool.ts";
import { factsOf, type ProcessFacts, processResource } from "./facts.ts";
import { membersOf } from "./membership.ts";
import { programOf, readProgram } from "./programs.ts";

/** pid_max of the kernel (proc(5)) */
const pid_max = 4_194_304;

/** Members of an input that name one process. */
export const subject_input = {
  process: z
    .union([z.number().int().min(1).max(pid_max), CallId])
    .describe("which process: its pid (number), or the handle that process.spawn gave for a program in the background"),
  started_ticks: z
    .number()
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe("with a pid: started_ticks as process.list or process.info gave it; refused when the pid belongs to another process by now"),
};
type SubjectInput = { readonly process: number | string; readonly started_ticks: number | null };

export interface Subject extends Target {
  readonly pid: number;
  readonly started_ticks: number;
  readonly facts: ProcessFacts;
  readonly kernel: boolean;
  /** The program in the background whose process it is, when it was named by its handle. */
  readonly program: Started | null;
  /** pidfd_send_signal(2); 0 asks only. @returns false when it has ended */
  signal(number: number): boolean;
  close(): void;
}

/** @throws {ToolError} when it is not there, or another one */
export async function holdProcess(input: SubjectInput, access: Resource["access"], context: Context): Promise<Subject> {
  const about = `looking for process ${JSON.stringify(input.process)}`;
  const program = typeof input.process === "string" ? programOf(input.process, context) : null;
  if (typeof input.process === "string" && (program === null || !program.running))
    throw new ToolError(`${about} failed: no program with this handle runs; process.list shows those that do`);
  const pid = program === null ? Number(input.process) : program.kept.pid;
  const pidfd = openPid(pid, about, context);
  try {
    const stat = readStat(pid);
    const started_ticks = program?.kept.started_ticks ?? input.started_ticks;
    const there = stat !== null && stat.state !== "Z" && isAlive(pidfd, context);
    if (!there) throw new ToolError(`${about} failed: it has just ended`);
    if (started_ticks !== null && started_ticks !== stat.started)
      throw new ToolError(
        `${about} failed: the pid ${pid} belongs to another process by now (began at ${stat.started}, not ${started_ticks}); list anew`,
      );
    return await subjectOf(stat, pidfd, program, access, context);
  } catch (error) {
    context.sys.descriptor.close(pidfd);
    throw error;
  }
}

async function subjectOf(
  stat: Stat,
  pidfd: number,
  program: Started | null,
  access: Resource["access"],
  context: Context,
): Promise<Subject> {
  const members = await membersOf(context);
  const facts = factsOf(stat, members(stat), context.clock.boot_ms());
  const spawned_by = facts.call === null ? "" : (readProgram(facts.call, context)?.principal ?? "");
  let open = true;
  return {
    pid: stat.pid,
    started_ticks: stat.started,
    facts,
    kernel: stat.kernel,
    program,
    resources: [processResource(facts, stat.kernel, access, spawned_by)],
    signal(number) {
      try {
        context.sys.process.signal(pidfd, number);
        return true;
      } catch (error) {
        if (isSysError(error, "ESRCH")) return false;
        throw error;
      }
    },
    close() {
      if (open) context.sys.descriptor.close(pidfd);
      open = false;
    },
  };
}

function openPid(pid: number, about: string, context: Context): number {
  try {
    return context.sys.process.openPid(pid);
  } catch (error) {
    if (isSysError(error, "ESRCH") || isSysError(error, "EINVAL"))
      throw new ToolError(`${about} failed: there is no process with the pid ${pid}; process.list shows those that there are`);
    throw error;
  }
}

function isAlive(pidfd: number, context: Context): boolean {
  try {
    context.sys.process.signal(pidfd, 0);
    return true;
  } catch {
    return false;
  }
}
