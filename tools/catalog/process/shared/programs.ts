/** Programs in the background: what is durable of them, by their handle, which is the id of the call that started them. */

import { z } from "zod";
import { Principal } from "../../../../contracts/tool.ts";
import { isRunning } from "../../../../sys/procfs.ts";
import type { Context, State } from "../../../context.ts";
import { type Exec, KeptProgram, type Started } from "../../../exec/exec.ts";

export const Program = z.lazy(() =>
  z.strictObject({ kept: KeptProgram, principal: Principal, argv: z.array(z.string()), since_ms: z.number() }),
);
export type Program = z.infer<typeof Program>;

const prefix = "program:";
/** Records of programs that have ended, kept for those who ask how. */
const ended_max = 64;

export function readProgram(handle: string, { state }: Pick<Context, "state">): Program | null {
  const found = Program.safeParse(state.get(prefix + handle));
  return found.success ? found.data : null;
}

/** @returns null when nothing is known of it any more */
export function programOf(handle: string, context: Pick<Context, "state" | "exec" | "call">): Started | null {
  const program = readProgram(handle, context);
  return program === null || bootOf(handle) !== bootOf(context.call) ? null : context.exec.adopt(program.kept);
}

export function keepProgram(handle: string, program: Program, context: Pick<Context, "state" | "call">): void {
  context.state.put(prefix + handle, program);
  forgetEnded(context.state, bootOf(context.call));
}

export function dropProgram(handle: string, { state }: Pick<Context, "state">): void {
  state.delete(prefix + handle);
}

/** Those that run, by their handle. */
export function runningPrograms(context: Pick<Context, "state" | "call">): ReadonlyMap<string, Program> {
  return runningIn(context.state, bootOf(context.call));
}

/** 8 hexadecimal digits of the boot id in front of a call's id. */
function bootOf(call: string): string {
  return call.slice(0, 8);
}

function runningIn(state: State, boot: string): Map<string, Program> {
  const found = new Map<string, Program>();
  for (const { key, value } of state.list(prefix + boot)) {
    const program = Program.safeParse(value);
    if (program.success && isRunning(program.data.kept.outer_pid, program.data.kept.outer_started_ticks))
      found.set(key.slice(prefix.length), program.data);
  }
  return found;
}

function forgetEnded(state: State, boot: string): void {
  const running = runningIn(state, boot);
  const ended = state
    .list(prefix)
    .map(({ key }) => key.slice(prefix.length))
    .filter((handle) => !running.has(handle));
  for (const handle of ended.slice(0, Math.max(0, ended.length - ended_max))) state.delete(prefix + handle);
}

/**
 * At the broker's start: the programs that go on from before, for `Execution.sweep`; and once that is done, `resume` hears
 * them again.
 * @param state of the family `process`
 * @param boot 8 hexadecimal digits of the boot id
 */
export function programsFromBefore(state: State, boot: string): { readonly kept: readonly KeptProgram[]; resume(exec: Exec): void } {
  const kept = [...runningIn(state, boot).values()].map((program) => program.kept);
  return {
    kept,
    resume(exec) {
      for (const one of kept) exec.adopt(one);
    },
  };
}
