/**
 * The way of every call (`steps.ts`). It is the same for a tier, a person, an agent and a timer; for a first call, an
 * approved one, an undo and a redo.
 *
 * What is durable when: the intent before anything is touched, the before-image before `run`, the outcome before the
 * answer. So whatever moment the power goes, `recover.ts` finds either nothing to do or all it needs.
 *
 * A call that changes nothing (`observe`) is written as one entry after it, and nobody waits for the disk.
 */

import { z } from "zod";
import type { Approval } from "../../contracts/permission.ts";
import type { CallOutcome, CallResult, CallStatus, Principal, Resource, Risk } from "../../contracts/tool.ts";
import { issuesText } from "../../wire/peer.ts";
import type { Audit } from "../audit/audit.ts";
import type { Context } from "../context.ts";
import type { Approver, Authority, Question, Verdict } from "../policy/authorise.ts";
import { type AnyTool, isTaintedAnswer, type Past, type Preview, type Target, ToolError } from "../tool.ts";
import type { Confirmations } from "../undo/confirm.ts";
import type { Approvals } from "./approvals.ts";
import type { Admitted, Attempt } from "./attempt.ts";
import { bounded, Runaway } from "./bounded.ts";
import { approvalEntry, digestOf, entryOf, failure, isRecord, notWaiting, outcomeEntry, outcomeOf, outputBody, textOf } from "./entries.ts";
import type { Keys } from "./keys.ts";
import type { Limits } from "./limits.ts";
import type { Locks } from "./locks.ts";
import type { Request } from "./request.ts";
import type { Step } from "./steps.ts";
import type { Taint } from "./taint.ts";
import { Waiting } from "./waiting.ts";

/** What a context says of a call besides its principal; not known when a call is taken back. */
export type Asked = Pick<Context, "role" | "owner" | "why" | "tainted" | "approved_by" | "redoes">;

interface CallPorts {
  /** The tool that is asked for; for an undo, one that takes that call back. */
  toolFor(request: Request): AnyTool | undefined;
  readonly authority: Authority;
  readonly audit: Audit;
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

const resolve_limit_ms = 15_000;
const verify_limit_ms = 30_000;
/** Taking back may take as long as doing, and a little more. */
const undo_grace_ms = 60_000;
/** Milliseconds that a person has for an approval. */
const approval_limit_ms = 3_600_000;

const own_undo: Verdict = { effect: "allow", policies: ["undo of one's own call"], reason: "", uses_grants: [] };

interface Ended {
  readonly status: CallStatus;
  readonly text: string;
  readonly output?: unknown;
}

export class Calls {
  readonly #ports: CallPorts;
  #last_number: number;
  readonly #open = new Map<string, Attempt>();
  readonly #ended = new Map<string, Promise<CallResult>>();
  readonly #waiting: Waiting;

  constructor(ports: CallPorts) {
    this.#ports = ports;
    this.#waiting = new Waiting(ports);
    this.#last_number = ports.audit.lastCallNumber();
  }

  /** Calls in work. */
  get open(): number {
    return this.#open.size;
  }

  /** Never throws: what goes wrong is its outcome. */
  async make(request: Request): Promise<CallResult> {
    const call = this.#newCall();
    const known = this.#claim(request, call);
    if (known !== null) return await known;
    const working = this.#start(call, request, null);
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
    const working = this.#start(call, waiting.request, waiting.digest, { principal: by, role });
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

  /** Calls that waited until their deadline. @returns milliseconds until the next one, or null */
  expire(): Promise<number | null> {
    return this.#waiting.expire();
  }

  #newCall(): string {
    this.#last_number += 1;
    return `${this.#ports.boot}-call-${this.#last_number}`;
  }

  /** What an earlier call with the same key came to; null when this is the first. */
  #claim(request: Request, call: string): Promise<CallResult> | null {
    const { key } = request.meta;
    if (key === null) return null;
    // no hash of a secret is kept: from one most secrets can be found by guessing
    const tool = this.#ports.toolFor(request);
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
  async #start(call: string, request: Request, approved_digest: string | null, approved_by: Approver | null = null): Promise<CallResult> {
    const begin_ms = this.#ports.clock.boot_ms();
    const early = (status: CallStatus, text: string): CallResult => {
      const outcome = outcomeOf(call, request.tool, request.principal, status, text, this.#ports.clock.boot_ms() - begin_ms);
      this.#ports.audit.note(outcomeEntry(request, outcome, [], { text, arguments_bytes: JSON.stringify(request.arguments).length }));
      this.#ports.onOutcome(outcome, null);
      return failure(outcome);
    };
    const tool = this.#ports.toolFor(request);
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
      this.#step("parse", attempt);
      return await this.#withAdmission(attempt, approved_digest);
    } catch (error) {
      if (error instanceof Runaway) this.#ports.giveUp(`${tool.name} (${call}): ${error.message}`);
      const ended: Ended = { status: "failed", text: textOf(error) };
      return await this.#end(attempt, [], [], ended).catch(() => failure(this.#outcome(attempt, ended.status, ended.text, [])));
    } finally {
      this.#open.delete(call);
    }
  }

  async #withAdmission(attempt: Attempt, approved_digest: string | null): Promise<CallResult> {
    const admitted = await this.#admit(attempt);
    if ("status" in admitted) return await this.#end(attempt, admitted.resources, admitted.policies, admitted);
    try {
      const { verdict, resources, target } = admitted;
      if (attempt.request.meta.dry_run) return await this.#previewed(attempt, admitted);
      if (verdict.effect === "approval") return await this.#askPerson(attempt, admitted);
      if (approved_digest !== null && approved_digest !== digestOf(await this.#shown(attempt, admitted)))
        return await this.#end(attempt, resources, verdict.policies, {
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
        return await this.#end(attempt, resources, verdict.policies, {
          status: "limited",
          text: `calling ${attempt.tool.name} failed: ${limit.refusal}`,
        });
      try {
        this.#step("limit", attempt);
        if (verdict.uses_grants.length > 0) this.#ports.spendGrants(verdict.uses_grants);
        return admitted.risk === "observe" ? await this.#observe(attempt, admitted) : await this.#change(attempt, admitted, target);
      } finally {
        limit.release();
      }
    } finally {
      admitted.release();
    }
  }

  /** Resolves, takes the locks, asks the policies. What was resolved before a wait is resolved again after it. */
  async #admit(
    attempt: Attempt,
  ): Promise<Admitted | (Ended & { readonly resources: readonly Resource[]; readonly policies: readonly string[] })> {
    const { tool, input, abort, request } = attempt;
    for (let round = 1; ; round += 1) {
      const target = await this.#resolved(attempt);
      let unlock: () => void = () => {};
      const release = (): void => {
        target.close?.();
        unlock();
      };
      try {
        const resources = [...target.resources];
        const risk = tool.riskOf?.(input, target) ?? tool.risk;
        attempt.risk = risk;
        if (!abort.signal.aborted) this.#step("resolve", attempt);
        // Whoever was allowed to change something may change it back.
        const own = request.undoes?.own === true;
        const verdict = own ? own_undo : this.#judged(attempt, resources, risk);
        if (verdict.effect === "deny") {
          release();
          return { status: "refused", text: verdict.reason, resources, policies: verdict.policies };
        }
        this.#step("authorise", attempt);
        const waits = verdict.effect === "approval" || request.meta.dry_run;
        if (waits || risk === "observe") return { target, resources, risk, verdict, release };
        const lock = await this.#ports.locks.take(resources, abort.signal);
        unlock = lock.release;
        if (!lock.waited) return { target, resources, risk, verdict, release };
        if (round === 3) throw new ToolError(`calling ${tool.name} failed: others keep changing the same things; try again`);
        // What it touches may be another thing now: it is resolved and judged again, with the lock held only if it is the same.
        const again = await this.#resolved(attempt);
        if (digestOf(again.resources) === digestOf(resources)) {
          target.close?.();
          const both = (): void => {
            again.close?.();
            lock.release();
          };
          return { target: again, resources, risk, verdict, release: both };
        }
        again.close?.();
        release();
      } catch (error) {
        release();
        throw error;
      }
    }
  }

  /**
   * By the policies. They see what an undo touches, not what it brings back: what others did (took a right away, say) a tier
   * takes back only when a person has said so.
   */
  #judged(attempt: Attempt, resources: readonly Resource[], risk: Risk): Verdict {
    const { request, approved_by } = attempt;
    const verdict = this.#ports.authority.decide(this.#question(attempt, resources, risk));
    if (request.undoes === null || request.role !== null || approved_by !== null || verdict.effect !== "allow") return verdict;
    const reason = `"${request.undoes.call}" is not a call of ${request.principal}: taking it back needs a person's approval`;
    return { ...verdict, effect: "approval", reason };
  }

  #resolved(attempt: Attempt): Promise<Target> {
    const { tool, input, abort } = attempt;
    return bounded(`looking at what ${tool.name} touches`, resolve_limit_ms, abort.signal, (signal) =>
      tool.resolve(input, this.#context(attempt, signal)),
    );
  }

  #question(attempt: Attempt, resources: readonly Resource[], risk: Risk): Question {
    const { request, tool } = attempt;
    return {
      principal: request.principal,
      role: request.role,
      owner: request.owner,
      tool: tool.name,
      risk,
      resources,
      context: {
        tainted: attempt.tainted.length > 0,
        ...this.#ports.limits.used(request.principal, request.owner),
        now_ms: this.#ports.clock.now_ms(),
        approved: attempt.approved_by !== null,
      },
    };
  }

  async #observe(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const { tool, abort } = attempt;
    const output = await bounded(`running ${tool.name}`, tool.timeout_ms, abort.signal, (signal) =>
      tool.run(admitted.target, attempt.input, this.#context(attempt, signal)),
    );
    this.#step("run", attempt);
    const value = this.#answer(attempt, output);
    return await this.#end(
      attempt,
      admitted.resources,
      admitted.verdict.policies,
      { status: "done", text: `${tool.name}: done`, output: value },
      "note",
    );
  }

  async #change(attempt: Attempt, admitted: Admitted, target: Target): Promise<CallResult> {
    const { tool, call, request } = attempt;
    const { resources, verdict } = admitted;
    const refusal = this.#ports.audit.degradation;
    if (refusal !== null)
      return await this.#end(attempt, resources, verdict.policies, {
        status: "failed",
        text: `calling ${tool.name} failed: nothing is changed while it cannot be recorded: ${refusal}`,
      });
    await this.#ports.audit.append({
      ...entryOf(request, call, resources),
      kind: "intent",
      body: {
        arguments: attempt.written_arguments,
        tainted: attempt.tainted,
        risk: admitted.risk,
        policies: verdict.policies,
        approved: attempt.approved_by !== null,
        undoes: request.undoes?.call ?? null,
        redoes: request.redoes,
        has_image: tool.image !== null,
      },
    });
    this.#step("intent", attempt);
    const image = await this.#keepImage(attempt, target, resources);
    this.#awaitConfirmation(attempt, image);
    let output: unknown = null;
    try {
      const raw = await bounded(`running ${tool.name}`, tool.timeout_ms, attempt.abort.signal, (signal) =>
        tool.run(target, attempt.input, this.#context(attempt, signal)),
      );
      this.#step("run", attempt);
      output = this.#answer(attempt, raw);
      const verify = tool.verify;
      if (verify !== undefined)
        await bounded(`verifying ${tool.name}`, verify_limit_ms, attempt.abort.signal, (signal) =>
          verify.call(tool, target, attempt.input, output, this.#context(attempt, signal)),
        );
      this.#step("verify", attempt);
      this.#awaitConfirmation(attempt, image); // its time begins when it is done
    } catch (error) {
      if (error instanceof Runaway) {
        this.#ports.giveUp(`${tool.name} (${call}): ${error.message}`);
        return failure(outcomeOf(call, tool.name, request.principal, "uncertain", textOf(error), 0));
      }
      return await this.#end(attempt, resources, verdict.policies, await this.#takenBack(attempt, image, output, error));
    }
    try {
      return await this.#end(attempt, resources, verdict.policies, { status: "done", text: `${tool.name}: done`, output });
    } catch (error) {
      // What is not on record must not stand. Should the record have come through after all, recovery does no harm.
      const cause = new Error(`recording the outcome of ${tool.name} failed: ${textOf(error)}`);
      const back = await this.#takenBack(attempt, image, output, cause);
      return failure(this.#outcome(attempt, back.status, back.text, verdict.policies));
    }
  }

  /** Before the change, so that whatever interrupts it, nothing stays that nobody confirmed. */
  #awaitConfirmation({ tool, call, request, input }: Attempt, image: unknown): void {
    const by_itself = tool.confirmWithin?.(input) ?? tool.confirm_within_s ?? 0;
    const within_s = request.meta.confirm_within_s ?? (request.redoes === null ? by_itself : 0);
    if (within_s > 0 && image !== null && tool.undo !== undefined)
      this.#ports.confirmations.await(call, this.#ports.clock.now_ms() + within_s * 1000);
  }

  async #keepImage(attempt: Attempt, target: Target, resources: readonly Resource[]): Promise<unknown> {
    const { tool, call, request } = attempt;
    const snapshot = tool.snapshot;
    if (tool.image === null || snapshot === undefined) return null;
    const image: unknown = await bounded(`keeping the state before ${tool.name}`, tool.timeout_ms, attempt.abort.signal, (signal) =>
      snapshot.call(tool, target, attempt.input, this.#context(attempt, signal)),
    );
    const parsed = tool.image.safeParse(image);
    if (!parsed.success)
      throw new ToolError(`keeping the state before ${tool.name} failed: it does not fit its own schema: ${issuesText(parsed.error)}`);
    await this.#ports.audit.append({ ...entryOf(request, call, resources), kind: "image", body: { image } });
    this.#step("image", attempt);
    return parsed.data;
  }

  /** Its answer, checked. */
  #answer(attempt: Attempt, raw: unknown): unknown {
    const parsed = attempt.tool.output.safeParse(raw);
    if (!parsed.success)
      throw new Error(`the answer of ${attempt.tool.name} does not fit its own schema: ${issuesText(parsed.error)}; this is a defect`);
    this.#step("output", attempt);
    return parsed.data;
  }

  /** A change that failed: undone, if that is possible. */
  async #takenBack(attempt: Attempt, image: unknown, output: unknown, cause: unknown): Promise<Ended> {
    const { tool, call } = attempt;
    this.#ports.confirmations.confirm(call);
    const why = textOf(cause);
    if (tool.image === null || tool.undo === undefined) {
      // Such a tool says by a ToolError that nothing has happened.
      return cause instanceof ToolError && !attempt.abort.signal.aborted
        ? { status: "failed", text: why }
        : { status: "uncertain", text: `${why}; what it did cannot be taken back: look at the system` };
    }
    try {
      await this.undo(tool, image, { call, input: attempt.input, output }, attempt.request.principal);
      this.#step("undo", attempt);
      return { status: "undone", text: `${why}; what it had changed was taken back` };
    } catch (error) {
      return { status: "uncertain", text: `${why}; taking it back failed too: ${textOf(error)}: look at the system` };
    }
  }

  /** Brings the state of a before-image back and looks whether it is there. @throws when it is not */
  async undo(tool: AnyTool, image: unknown, past: Past<unknown, unknown>, principal: Principal): Promise<void> {
    const limit_ms = tool.timeout_ms + undo_grace_ms;
    await bounded(`taking back ${tool.name}`, limit_ms, null, async (signal) => {
      const context = this.#ports.contextOf(past.call, tool.name, principal, signal);
      await tool.undo?.(image, past, context);
      await tool.verifyUndone?.(image, past, context);
    });
  }

  async #previewed(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const shown = await this.#shown(attempt, admitted);
    const needs = admitted.verdict.effect === "approval" ? "it would wait for a person" : "it would be made at once";
    const ended = {
      status: "previewed",
      text: `${attempt.tool.name}: nothing was done; ${needs}`,
      output: { ...shown, effect: admitted.verdict.effect },
    } as const;
    return await this.#end(attempt, admitted.resources, admitted.verdict.policies, ended, "note");
  }

  /** What a person decides about. */
  async #shown(attempt: Attempt, admitted: Admitted): Promise<{ resources: readonly Resource[] } & Preview> {
    const { tool } = attempt;
    const preview = tool.preview;
    const none: Preview = {
      changes: admitted.resources.filter(({ access }) => access !== "read").map(({ kind, id, access }) => `${access} ${kind} ${id}`),
      final: admitted.risk === "irreversible" ? ["all of it"] : [],
    };
    const made =
      preview === undefined
        ? none
        : await bounded(`previewing ${tool.name}`, resolve_limit_ms, attempt.abort.signal, (signal) =>
            preview.call(tool, admitted.target, attempt.input, this.#context(attempt, signal)),
          );
    return { resources: admitted.resources, changes: made.changes, final: made.final };
  }

  async #askPerson(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const { call, request, tool } = attempt;
    if (this.#ports.approvals.full)
      return await this.#end(attempt, admitted.resources, admitted.verdict.policies, {
        status: "limited",
        text: `calling ${tool.name} failed: it needs a person's approval, and too many calls wait for one already`,
      });
    const shown = await this.#shown(attempt, admitted);
    const now = this.#ports.clock.now_ms();
    const approval: Approval = {
      call,
      principal: request.principal,
      tool: tool.name,
      risk: admitted.risk,
      arguments: attempt.written_arguments,
      reason: request.meta.reason,
      resources: [...admitted.resources],
      tainted: [...attempt.tainted],
      preview: [...shown.changes],
      final: [...shown.final],
      asked_ms: now,
      deadline_ms: now + approval_limit_ms,
      state: "waiting",
      decided_by: null,
      decided_ms: null,
      decided_why: null,
    };
    const { secret } = this.#ports.redact(tool.input, request.arguments);
    const answer = await this.#waiting.ask(approval, request, { digest: digestOf(shown), secret });
    if (answer !== null) return answer;
    const text = `${tool.name} waits for a person: ${admitted.verdict.reason}; ask calls/get for ${call}`;
    return failure(this.#outcome(attempt, "waiting", text, admitted.verdict.policies));
  }

  /** Writes the outcome and makes the answer. @param how `note`: without waiting for the disk */
  async #end(
    attempt: Attempt,
    resources: readonly Resource[],
    policies: readonly string[],
    ended: Ended,
    how?: "note",
  ): Promise<CallResult> {
    const { request, tool, call } = attempt;
    const tainted = ended.status === "done" ? isTaintedAnswer(tool, ended.output) : tool.tainted;
    const outcome = { ...this.#outcome(attempt, ended.status, ended.text, policies), tainted: tainted && ended.status === "done" };
    const body = {
      text: ended.text,
      took_ms: outcome.took_ms,
      policies,
      undoes: request.undoes?.call ?? null,
      redoes: request.redoes,
      arguments: attempt.written_arguments,
      ...(tool.taintedAnswer === undefined ? {} : { tainted }),
      ...(ended.output === undefined
        ? {}
        : outputBody(ended.status === "done" ? this.#ports.redact(tool.output, ended.output).value : ended.output, how === "note")),
    };
    const entry = outcomeEntry(request, outcome, resources, body);
    const durable =
      how !== "note" && (ended.status === "done" || ended.status === "undone" || ended.status === "uncertain" || this.#hasIntent(call));
    if (durable) await this.#ports.audit.append(entry);
    else this.#ports.audit.note(entry);
    if (durable) this.#step("outcome", attempt);
    // What went wrong may be told in words of outside, and what was written until then may have been followed.
    if (tainted && ended.status !== "previewed")
      this.#ports.taint.hear(
        mindOf(request),
        ended.status === "done" ? ended.output : [ended.text, this.#ports.written(call)],
        request.arguments,
      );
    this.#ports.onOutcome(outcome, request.undoes?.call ?? null);
    if (ended.status !== "done" && ended.status !== "previewed") return failure(outcome);
    return { structuredContent: isRecord(ended.output) ? ended.output : { value: ended.output }, isError: false, _meta: outcome };
  }

  /** It failed after its intent was written: its outcome has to be as durable. */
  #hasIntent(call: string): boolean {
    return this.#ports.audit.ofCall(call).some((entry) => entry.kind === "intent");
  }

  #outcome(attempt: Attempt, status: CallStatus, text: string, policies: readonly string[]): CallOutcome {
    const { tool, call, request } = attempt;
    const undoable = status === "done" && attempt.risk !== "observe" && tool.image !== null && tool.undo !== undefined;
    return {
      ...outcomeOf(call, tool.name, request.principal, status, text, this.#ports.clock.boot_ms() - attempt.begin_ms),
      tainted: tool.tainted && status === "done",
      policies: [...policies],
      undo: undoable ? "possible" : "none",
      confirm_by_ms: status === "done" ? this.#ports.confirmations.deadlineOf(call) : null,
    };
  }

  #context(attempt: Attempt, signal: AbortSignal): Context {
    const { request, approved_by, tainted } = attempt;
    const { principal, role, owner, redoes } = request;
    return this.#ports.contextOf(attempt.call, attempt.tool.name, principal, signal, {
      ...{ role, owner, why: request.meta.reason.text, tainted, approved_by, redoes },
    });
  }

  #step(step: Step, attempt: Attempt): void {
    this.#ports.onStep?.(step, attempt.call, attempt.tool.name);
  }
}

/** `it takes NAME, NAME`, with a mark on those that may be left out. */
function takes({ input }: AnyTool): string {
  if (!(input instanceof z.ZodObject)) return "look at what it takes";
  const members = Object.entries(input.shape).map(([name, field]) =>
    field instanceof z.ZodType && field.safeParse(undefined).success ? `[${name}]` : name,
  );
  return `it takes ${members.join(", ") || "no arguments"}`;
}

/** Whoever thinks for the caller: what a tier has heard its agents know, and the other way round. */
function mindOf({ principal, owner }: Pick<Request, "principal" | "owner">): Principal {
  return owner ?? principal;
}
