/** Calls that wait for a person: asked, answered, withdrawn, or over when nobody answers before the deadline. */

import type { Approval, Opinion } from "../../contracts/permission.ts";
import { CallMeta, type CallOutcome, type CallResult, type Principal } from "../../contracts/tool.ts";
import type { Audit } from "../audit/audit.ts";
import type { Context } from "../context.ts";
import { Deadlines } from "../deadlines.ts";
import type { Approvals } from "./approvals.ts";
import { approvalEntry, failure, outcomeEntry, outcomeOf, type Who } from "./entries.ts";
import type { Request } from "./request.ts";

/** Milliseconds that a person has for an approval. */
export const approval_limit_ms = 3_600_000;

interface WaitingPorts {
  readonly approvals: Approvals;
  readonly audit: Audit;
  readonly clock: Context["clock"];
  onOutcome(outcome: CallOutcome, undoes: string | null): void;
}

export class Waiting {
  readonly #ports: WaitingPorts;
  readonly #deadlines: Deadlines;
  /** Answers that somebody waits for, by call. */
  readonly #answers = new Map<string, PromiseWithResolvers<CallResult>>();

  constructor(ports: WaitingPorts) {
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.clock, approval_limit_ms);
  }

  answerOf(call: string): Promise<CallResult> | null {
    return this.#answers.get(call)?.promise ?? null;
  }

  /**
   * Asks a person.
   * @param shown the digest of what the person decides about, and whether the arguments hold secrets
   * @returns the answer when it came within `wait_ms` of the request
   */
  async ask(
    approval: Approval,
    request: Request,
    shown: { readonly digest: string; readonly secret: boolean },
  ): Promise<CallResult | null> {
    this.#deadlines.left(approval.call, approval.deadline_ms);
    this.#ports.approvals.ask(approval, request, shown.digest, shown.secret);
    await this.#ports.audit.append(approvalEntry(request, approval, approval.resources));
    const answer = Promise.withResolvers<CallResult>();
    this.#answers.set(approval.call, answer);
    if (request.meta.wait_ms === 0) return null;
    return await Promise.race([answer.promise, Bun.sleep(request.meta.wait_ms).then(() => null)]);
  }

  /** It was approved and made. */
  answered(call: string, result: CallResult): void {
    this.#answers.get(call)?.resolve(result);
  }

  forget(call: string): void {
    this.#answers.delete(call);
  }

  /** It ends without being made. @returns null when it does not wait any more */
  async leave(call: string, state: "declined" | "expired" | "withdrawn", by: Principal | null, why: string): Promise<CallResult | null> {
    const waiting = this.#ports.approvals.get(call);
    const approval = this.#ports.approvals.decide(call, state, by, why, this.#ports.clock.now_ms());
    if (waiting === null || approval === null) return null;
    this.#deadlines.forget(call);
    const request: Who = waiting.request ?? {
      principal: approval.principal,
      tool: approval.tool,
      meta: CallMeta.parse({ reason: approval.reason }),
    };
    const text = `${approval.tool} was not made: ${state}${by === null ? "" : ` by ${by}`}: ${why}`;
    const outcome = outcomeOf(call, approval.tool, approval.principal, "declined", text, 0);
    await this.#ports.audit.append(approvalEntry(request, approval, []));
    await this.#ports.audit.append(outcomeEntry(request, outcome, approval.resources, { text }));
    this.#ports.onOutcome(outcome, null);
    const result = failure(outcome);
    this.answered(call, result);
    this.forget(call);
    return result;
  }

  /** What is thought of it; it goes on waiting. @returns null when it does not wait any more, or has been thought of */
  async review(call: string, opinion: Opinion): Promise<Approval | null> {
    const reviewed = this.#ports.approvals.review(call, opinion);
    if (reviewed === null) return null;
    const { principal, tool, reason } = reviewed;
    await this.#ports.audit.append(approvalEntry({ principal, tool, meta: CallMeta.parse({ reason }) }, reviewed, []));
    return reviewed;
  }

  /** Those whose deadline is over. @returns milliseconds until the next deadline, or null */
  async expire(): Promise<number | null> {
    let next: number | null = null;
    for (const { call, deadline_ms } of this.#ports.approvals.list(false)) {
      const left_ms = this.#deadlines.left(call, deadline_ms);
      if (left_ms === 0) await this.leave(call, "expired", null, "nobody answered before the deadline");
      else next = Math.min(next ?? Number.POSITIVE_INFINITY, left_ms);
    }
    return next;
  }
}
