/**
 * What a tool is. One file of `catalog/<family>/` exports one, made with `defineTool`; `call/` runs every one of them the
 * same way, and never knows what it does:
 *
 *   input schema → resolve → authorise → intent → snapshot → run → output schema → verify → outcome
 *
 * When a step after the snapshot fails, `undo` and `verifyUndone` follow. After a crash the broker finds the intent without
 * an outcome and the before-image, asks `settled` whether the effect is whole, and otherwise calls `undo`. So:
 *
 * - `resolve` finds out what the call touches by asking the kernel (descriptors, not strings), and keeps hold of it: what
 *   was authorised is what is used. It changes nothing.
 * - `snapshot` describes the state that `run` will change well enough for `undo` to bring it back. It may keep files
 *   (`images`). An undo is redone by making the call anew with the same input.
 * - Calls that change overlapping resources never run at the same time; `call/locks.ts` sees to it.
 * - `run` may be cut off anywhere by a crash or a power cut. Each change it makes is atomic, or `undo` copes with its halves.
 * - `undo` gets the state back from the before-image alone, whether nothing, a part or all was done; done twice is done once.
 * - Nothing here decides about permission, and nothing here writes the audit.
 */

import type { z } from "zod";
import type { Resource, Risk } from "../contracts/tool.ts";
import type { Context } from "./context.ts";

/** What a call is about to touch. */
export interface Target {
  readonly resources: readonly Resource[];
  /** Gives back what `resolve` kept hold of. Called once, whatever happened. */
  close?(): void;
}

/** For people, before an approval. */
export interface Preview {
  /** What will change, line by line. */
  readonly changes: readonly string[];
  /** What of it cannot be taken back. */
  readonly final: readonly string[];
}

/** What is known of a call when it is taken back: its output is null when it never answered. */
export interface Past<I, O> {
  readonly call: string;
  readonly input: I;
  readonly output: O | null;
}

export interface Tool<I = unknown, O = unknown, T extends Target = Target, S = unknown> {
  /** `family.verb` */
  readonly name: string;
  readonly title: string;
  /** For a model that has to choose: what it does, when to use it, what it does not do. */
  readonly description: string;
  /**
   * Made when it is first used (`z.lazy`). Strict, with a description at each member; a member with `.meta({ secret: true })` is
   * redacted wherever it is written.
   */
  readonly input: z.ZodType<I>;
  readonly output: z.ZodType<O>;
  /** The worst that it can do. */
  readonly risk: Risk;
  /** Where this input does less than the worst. */
  riskOf?(input: I, target: T): Risk;
  /** Milliseconds for `run`, unless the input says less; then its signal is aborted and what it started is killed. */
  readonly timeout_ms: number;
  /** Same arguments again change nothing more (MCP: idempotentHint). */
  readonly idempotent: boolean;
  /** Its answer holds text from outside the system. */
  readonly tainted: boolean;
  /** Where only some of its answers do, and it knows which: whether this one does. `tainted` is true for such a tool. */
  taintedAnswer?(output: O): boolean;
  /** Where it can tell: whether this answer says that there was nothing to change. Whoever tried it need not wait whether it helped. */
  changedNothing?(output: O): boolean;
  /** It talks to hosts outside (MCP: openWorldHint). */
  readonly open_world?: boolean;
  /** Calls of it that may run at once; 16 unless it says otherwise. */
  readonly concurrency_max?: number;
  /** The family whose values it works with, where that is not its own. */
  readonly state_of?: string;
  /** It makes things what earlier calls declared, and nothing else: those can be taken back although it came later. */
  readonly restores?: true;
  /** Seconds within which a call has to be confirmed or is taken back, unless the caller says otherwise: it may lock people out. */
  readonly confirm_within_s?: number;
  /** Where only some inputs of it may: seconds, 0 for the others. */
  confirmWithin?(input: I): number;
  /** The shape of the before-image, with which it is read again after a crash; null when there is nothing to take back. */
  readonly image: z.ZodType<S> | null;

  /** @throws {ToolError} when it does not exist or cannot be */
  resolve(input: I, context: Context): T | Promise<T>;
  preview?(target: T, input: I, context: Context): Preview | Promise<Preview>;
  snapshot?(target: T, input: I, context: Context): S | Promise<S>;
  run(target: T, input: I, context: Context): O | Promise<O>;
  /** Looks at the system, not at what `run` believes. @throws {ToolError} when the effect is not there */
  verify?(target: T, input: I, output: O, context: Context): void | Promise<void>;
  /** After a crash: whether the effect is there as a whole. Left out: it counts as not whole and is taken back. */
  settled?(image: S, past: Past<I, O>, context: Context): boolean | Promise<boolean>;
  undo?(image: S, past: Past<I, O>, context: Context): void | Promise<void>;
  /** @throws {ToolError} unless the state is that of the before-image */
  verifyUndone?(image: S, past: Past<I, O>, context: Context): void | Promise<void>;
}

/** A tool with its own types forgotten: what it gets has been parsed with its own schemas. */
// biome-ignore lint/suspicious/noExplicitAny: a list of tools of different types cannot be typed otherwise (variance)
export type AnyTool = Tool<any, any, any, any>;

/** Keeps the types of a tool together. */
export function defineTool<I, O, T extends Target, S = never>(tool: Tool<I, O, T, S>): Tool<I, O, T, S> {
  return tool;
}

/** Whether an answer of it holds text from outside. */
export function isTaintedAnswer(tool: AnyTool, output: unknown): boolean {
  return tool.tainted && tool.taintedAnswer?.(output) !== false;
}

/** A call that failed in a way that its caller can understand: what was being done, values, cause, what to do. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}
