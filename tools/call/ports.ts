/** What a call needs of the rest of the broker, and the little that all its steps do alike. */

import type { CallOutcome, CallStatus, Principal } from "../../contracts/tool.ts";
import type { Taint } from "../../wire/taint.ts";
import type { Audit } from "../audit/audit.ts";
import type { Context } from "../context.ts";
import type { Authority } from "../policy/authorise.ts";
import type { AnyTool } from "../tool.ts";
import type { Confirmations } from "../undo/confirm.ts";
import type { Approvals } from "./approvals.ts";
import type { Attempt } from "./attempt.ts";
import type { Keys } from "./keys.ts";
import type { Limits } from "./limits.ts";
import type { Locks } from "./locks.ts";
import type { Request } from "./request.ts";
import type { Step } from "./steps.ts";

/** What a context says of a call besides its principal; not known when a call is taken back. */
export type Asked = Pick<Context, "role" | "owner" | "why" | "tainted" | "approved_by" | "redoes">;

export interface CallPorts {
  /** The tool that is asked for, read when it was not used before; for an undo, one that takes that call back. */
  toolFor(request: Request): AnyTool | Promise<AnyTool> | undefined;
  readonly authority: Authority;
  readonly audit: Audit;
  /** Why calls from before the start are not at their end yet, or null: until then nothing is changed. */
  unrecovered(): string | null;
  readonly approvals: Approvals;
  readonly keys: Keys;
  readonly limits: Limits;
  readonly locks: Locks;
  readonly taint: Taint;
  readonly confirmations: Pick<Confirmations, "await" | "confirm" | "deadlineOf">;
  /** 8 hexadecimal digits of the kernel's boot id. */
  readonly boot: string;
  readonly clock: Context["clock"];
  /** What a tool may use while it works for this call. */
  contextOf(call: string, tool: string, principal: Principal, signal: AbortSignal, asked?: Asked): Context;
  /** The newest of what the programs of a call in work have written, which its caller may have followed. */
  written(call: string): string;
  /** A grant that is good for a number of calls has been used for one. */
  spendGrants(ids: readonly string[]): void;
  /** The value with what its schema calls secret taken out, and whether there was any. */
  redact(schema: AnyTool["input"], value: unknown): { readonly value: Record<string, unknown>; readonly secret: boolean };
  /** @param undoes the call that it was to take back */
  onOutcome(outcome: CallOutcome, undoes: string | null): void;
  /** Something that no caller can mend: the process ends, is started again, and finds out what is unfinished. */
  giveUp(why: string): void;
  /** Between any two steps; where the tests kill the broker. */
  onStep?(step: Step, call: string, tool: string): void;
}

/** Milliseconds for a look at what a call touches, or would change: also where the machine is emulated and others compute. */
export const resolve_limit_ms = 60_000;

export interface Ended {
  readonly status: CallStatus;
  readonly text: string;
  readonly output?: unknown;
}

export function contextOf(ports: CallPorts, attempt: Attempt, signal: AbortSignal): Context {
  const { request, approved_by, tainted } = attempt;
  const { principal, role, owner, redoes } = request;
  return ports.contextOf(attempt.call, attempt.tool.name, principal, signal, {
    ...{ role, owner, why: request.meta.reason.text, tainted, approved_by, redoes },
  });
}

export function step(ports: CallPorts, name: Step, attempt: Attempt): void {
  ports.onStep?.(name, attempt.call, attempt.tool.name);
}

/** Whoever thinks for the caller: what a tier has heard its agents know, and the other way round. */
export function mindOf({ principal, owner }: Pick<Request, "principal" | "owner">): Principal {
  return owner ?? principal;
}
