/**
 * The way of every call (`steps.ts`). It is the same for a tier, a person, an agent and a timer; for a first call, an
 * approved one, an undo and a redo.
 *
 * What is durable when: the intent before anything is touched, the before-image before `run`, the outcome before the
 * answer. So whatever moment the power goes, `recover.ts` finds either nothing to do or all it needs.
 *
 * A call that changes nothing (`observe`) is written as one entry after it, and nobody waits for the disk. What a tier looks
 * at again and again is counted (`tools/audit/repeats.ts`).
 */

import { z } from "zod";
import type { Approval, Opinion } from "../../contracts/permission.ts";
import { made } from "../../contracts/rpc.ts";
import type { CallResult, CallStatus, Principal } from "../../contracts/tool.ts";
import { issuesText } from "../../wire/issues.ts";
import type { Approver } from "../policy/authorise.ts";
import { type AnyTool, type Past, ToolError } from "../tool.ts";
import { Admission } from "./admission.ts";
import type { Attempt } from "./attempt.ts";
import { Runaway, StuckLook } from "./bounded.ts";
import { Ending } from "./ending.ts";
import { approvalEntry, digestOf, failure, isRecord, notWaiting, outcomeEntry, outcomeOf, textOf } from "./entries.ts";
import { type CallPorts, type Ended, mindOf, step } from "./ports.ts";
import type { Request } from "./request.ts";
import { Running } from "./running.ts";
import { Showing } from "./showing.ts";
import { Waiting } from "./waiting.ts";

/** More looks than there are between two records of them (tools/audit/repeats.ts): after a crash no number comes twice. */
const unrecorded_max = 100_000;

/** Looks that do not stop though they were told to; with one more the process is started anew. */
const stuck_looks_max = 8;

export class Calls {
  readonly #ports: CallPorts;
  readonly #admission: Admission;
  readonly #ending: Ending;
  readonly #running: Running;
  readonly #showing: Showing;
  readonly #waiting: Waiting;
  readonly #open = new Map<string, Attempt>();
  readonly #ended = new Map<string, Promise<CallResult>>();
  #last_number: number;
  #stuck_looks = 0;

  constructor(ports: CallPorts) {
    this.#ports = ports;
    this.#admission = new Admission(ports);
    this.#ending = new Ending(ports);
    this.#running = new Running(ports, this.#ending);
    this.#waiting = new Waiting(ports);
    this.#showing = new Showing(ports, this.#ending, this.#waiting);
    const recorded = ports.audit.lastCallNumber();
    this.#last_number = recorded === 0 ? 0 : recorded + unrecorded_max;
  }

  /** Calls in work. */
  get open(): number {
    return this.#open.size;
  }

  /** Never throws: what goes wrong is its outcome. */
  async make(request: Request): Promise<CallResult> {
    const asked = this.#ports.toolFor(request);
    const tool = asked instanceof Promise ? await asked : asked;
    const call = this.#newCall();
    const known = this.#claim(request, call, tool);
    if (known !== null) return await known;
    const working = this.#start(call, request, tool, null);
    this.#ended.set(call, working);
    try {
      return await working;
    } finally {
      this.#ended.delete(call);
    }
  }

  /** The result of a call that is in work, if it is. */
  running(call: string): Promise<CallResult> | null {
    return this.#ended.get(call) ?? this.#waiting.answerOf(call);
  }

  /** Whose call it is that is in work, also before anything of it is on record. */
  callerOf(call: string): Principal | null {
    return this.#open.get(call)?.request.principal ?? null;
  }

  /** @returns false when it neither runs nor waits */
  async cancel(call: string, by: Principal, why: string): Promise<boolean> {
    const attempt = this.#open.get(call);
    if (attempt !== undefined) {
      attempt.abort.abort(new ToolError(`the call was cancelled by ${by}: ${why}`));
      return true;
    }
    return (await this.#waiting.leave(call, "withdrawn", by, why)) !== null;
  }

  /**
   * A person's answer to a call that waits. Approved, it is made now and the answer is its result.
   * @throws {ToolError} when it does not wait any more
   */
  async decide(call: string, approve: boolean, by: Principal, why: string, role: Approver["role"] = null): Promise<CallResult> {
    const waiting = this.#ports.approvals.get(call);
    if (waiting === null) throw new ToolError(`deciding on "${call}" failed: no such call waits; see approvals/list`);
    if (!approve) {
      const declined = await this.#waiting.leave(call, "declined", by, why);
      if (declined === null) throw notWaiting(call, this.#ports.approvals.get(call)?.approval.state ?? "gone");
      return declined;
    }
    if (waiting.approval.state !== "waiting") throw notWaiting(call, waiting.approval.state);
    if (waiting.request === null) {
      await this.#waiting.leave(call, "withdrawn", null, "its arguments held secrets, which are not kept over a restart");
      throw new ToolError(
        `approving "${call}" failed: its arguments held secrets, which are not kept over a restart; it has to be asked anew`,
      );
    }
    const approval = this.#ports.approvals.decide(call, "approved", by, why, this.#ports.clock.now_ms());
    if (approval === null) throw notWaiting(call, this.#ports.approvals.get(call)?.approval.state ?? "gone");
    await this.#ports.audit.append(approvalEntry(waiting.request, approval, []));
    const tool = await this.#ports.toolFor(waiting.request);
    const working = this.#start(call, waiting.request, tool, waiting.digest, { principal: by, role });
    this.#ended.set(call, working);
    try {
      const result = await working;
      this.#waiting.answered(call, result);
      return result;
    } finally {
      this.#ended.delete(call);
      this.#waiting.forget(call);
    }
  }

  /**
   * What the strategic tier thinks of a call that waits.
   * @throws {ToolError} when it does not wait any more, or has been thought of
   */
  async review(call: string, opinion: Opinion): Promise<Approval> {
    const reviewed = await this.#waiting.review(call, opinion);
    if (reviewed !== null) return reviewed;
    const found = this.#ports.approvals.get(call)?.approval;
    const why =
      found === undefined ? "no such call waits" : found.state === "waiting" ? "it has an opinion already" : `it is ${found.state} already`;
    throw new ToolError(`giving an opinion on "${call}" failed: ${why}`);
  }

  /** Calls that waited until their deadline. @returns milliseconds until the next one, or null */
  expire(): Promise<number | null> {
    return this.#waiting.expire();
  }

  #newCall(): string {
    this.#last_number += 1;
    return `${this.#ports.boot}-call-${this.#last_number}`;
  }

  /** What an earlier call with the same key came to; null when this is the first. */
  #claim(request: Request, call: string, tool: AnyTool | undefined): Promise<CallResult> | null {
    const { key } = request.meta;
    if (key === null) return null;
    // no hash of a secret is kept: from one most secrets can be found by guessing
    const args = tool === undefined ? {} : this.#ports.redact(tool.input, request.arguments).value;
    const digest = digestOf({ tool: request.tool, arguments: args });
    const first = this.#ports.keys.claim(request.principal, key, call, digest, this.#ports.clock.now_ms());
    if (first === null) return null;
    const refuse = (status: CallStatus, text: string): Promise<CallResult> =>
      Promise.resolve(failure(outcomeOf(call, request.tool, request.principal, status, text, 0)));
    if (first.digest !== digest)
      return refuse("invalid", `the key "${key}" was used for another call (${first.call}); use a new key for a new call`);
    const running = this.running(first.call);
    if (running !== null) return running;
    const ended = this.#ports.audit.ofCall(first.call).findLast((entry) => entry.kind === "outcome");
    if (ended === undefined) return refuse("waiting", `the call with the key "${key}" is ${first.call}, and has no outcome yet`);
    const output = ended.body["output"];
    const outcome = outcomeOf(first.call, request.tool, request.principal, ended.status ?? "failed", String(ended.body["text"] ?? ""), 0);
    return Promise.resolve(
      isRecord(output) && ended.status === "done" ? { structuredContent: output, isError: false, _meta: outcome } : failure(outcome),
    );
  }

  /** @param approved_digest what a person has seen and approved; null: nobody has */
  async #start(
    call: string,
    request: Request,
    tool: AnyTool | undefined,
    approved_digest: string | null,
    approved_by: Approver | null = null,
  ): Promise<CallResult> {
    const begin_ms = this.#ports.clock.boot_ms();
    const early = (status: CallStatus, text: string): CallResult => {
      const outcome = outcomeOf(call, request.tool, request.principal, status, text, this.#ports.clock.boot_ms() - begin_ms);
      this.#ports.audit.note(outcomeEntry(request, outcome, [], { text, arguments_bytes: JSON.stringify(request.arguments).length }));
      this.#ports.onOutcome(outcome, null);
      return failure(outcome);
    };
    if (tool === undefined) return early("invalid", `there is no tool "${request.tool}"; tools/list names those that there are`);
    const parsed = tool.input.safeParse(request.arguments);
    if (!parsed.success)
      return early(
        "invalid",
        `the arguments of ${tool.name} do not fit: ${issuesText(parsed.error)}; ${takes(tool)}; tools/get shows the schema`,
      );
    const attempt: Attempt = {
      call,
      request,
      tool,
      begin_ms,
      abort: new AbortController(),
      input: parsed.data,
      written_arguments: this.#ports.redact(tool.input, request.arguments).value,
      tainted: this.#ports.taint.marks(mindOf(request), request.arguments, request.meta.tainted),
      approved_by,
      risk: tool.risk,
    };
    this.#open.set(call, attempt);
    try {
      step(this.#ports, "parse", attempt);
      return await this.#withAdmission(attempt, approved_digest);
    } catch (error) {
      this.#giveUpIfLost(attempt, error);
      const ended: Ended = { status: "failed", text: textOf(error) };
      return await this.#ending
        .write(attempt, [], [], ended)
        .catch(() => failure(this.#ending.outcome(attempt, ended.status, ended.text, [])));
    } finally {
      this.#open.delete(call);
    }
  }

  /** What goes on after its time: a change may do anything from now on, a look takes room only, and few of them do no harm. */
  #giveUpIfLost({ tool, call }: Attempt, error: unknown): void {
    if (error instanceof Runaway) this.#ports.giveUp(`${tool.name} (${call}): ${error.message}`);
    if (!(error instanceof StuckLook)) return;
    this.#stuck_looks += 1;
    void error.stopped.then(() => {
      this.#stuck_looks -= 1;
    });
    if (this.#stuck_looks > stuck_looks_max)
      this.#ports.giveUp(`${this.#stuck_looks} looks do not stop, the newest is ${tool.name} (${call}): ${error.message}`);
  }

  async #withAdmission(attempt: Attempt, approved_digest: string | null): Promise<CallResult> {
    const admitted = await this.#admission.admit(attempt);
    if ("status" in admitted) return await this.#ending.write(attempt, admitted.resources, admitted.policies, admitted);
    try {
      const { verdict, resources } = admitted;
      if (attempt.request.meta.dry_run) return await this.#showing.preview(attempt, admitted);
      if (verdict.effect === "approval") return await this.#showing.askPerson(attempt, admitted);
      if (approved_digest !== null && approved_digest !== digestOf(await this.#showing.shown(attempt, admitted)))
        return await this.#ending.write(attempt, resources, verdict.policies, {
          status: "declined",
          text: `what ${attempt.tool.name} would do is no longer what was approved: the system has changed since; ask again`,
        });
      const limit = this.#ports.limits.take(
        attempt.request.principal,
        {
          tool: attempt.tool.name,
          concurrency_max: attempt.tool.concurrency_max ?? 16,
          changes: admitted.risk !== "observe",
          cost_usd: attempt.request.meta.reason.cost_usd,
        },
        attempt.request.owner,
      );
      if ("refusal" in limit)
        return await this.#ending.write(attempt, resources, verdict.policies, {
          status: "limited",
          text: `calling ${attempt.tool.name} failed: ${limit.refusal}`,
        });
      let over: Promise<unknown> = Promise.resolve();
      try {
        step(this.#ports, "limit", attempt);
        if (verdict.uses_grants.length > 0) this.#ports.spendGrants(verdict.uses_grants);
        return admitted.risk === "observe" ? await this.#running.observe(attempt, admitted) : await this.#running.change(attempt, admitted);
      } catch (error) {
        if (error instanceof StuckLook) over = error.stopped; // until then it counts as one that runs
        throw error;
      } finally {
        void over.then(() => limit.release());
      }
    } finally {
      admitted.release();
    }
  }

  /** Brings the state of a before-image back and looks whether it is there. @throws when it is not */
  undo(tool: AnyTool, image: unknown, past: Past<unknown, unknown>, principal: Principal): Promise<void> {
    return this.#running.undo(tool, image, past, principal);
  }
}

/** `it takes NAME, NAME`, with a mark on those that may be left out. */
function takes(tool: AnyTool): string {
  const input = made(tool.input);
  if (!(input instanceof z.ZodObject)) return "look at what it takes";
  const members = Object.entries(input.shape).map(([name, field]) =>
    field instanceof z.ZodType && field.safeParse(undefined).success ? `[${name}]` : name,
  );
  return `it takes ${members.join(", ") || "no arguments"}`;
}
