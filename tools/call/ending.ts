/** How a call ended: on record before it is answered. */

import type { CallOutcome, CallResult, CallStatus, Resource } from "../../contracts/tool.ts";
import { isTaintedAnswer } from "../tool.ts";
import type { Attempt } from "./attempt.ts";
import { failure, isRecord, outcomeEntry, outcomeOf, outputBody } from "./entries.ts";
import { type CallPorts, type Ended, mindOf, step } from "./ports.ts";

export class Ending {
  readonly #ports: CallPorts;

  constructor(ports: CallPorts) {
    this.#ports = ports;
  }

  /** Writes the outcome and makes the answer. @param how `note`: without waiting for the disk */
  async write(
    attempt: Attempt,
    resources: readonly Resource[],
    policies: readonly string[],
    ended: Ended,
    how?: "note",
  ): Promise<CallResult> {
    const { request, tool, call } = attempt;
    const tainted = ended.status === "done" ? isTaintedAnswer(tool, ended.output) : tool.tainted;
    const is_done = ended.status === "done";
    const outcome: CallOutcome = {
      ...this.outcome(attempt, ended.status, ended.text, policies),
      tainted: tainted && is_done,
      ...(is_done && tool.changedNothing?.(ended.output) === true ? { unchanged: true } : {}),
    };
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
    else if (attempt.risk === "observe" && request.meta.key === null) this.#ports.audit.look(entry);
    else this.#ports.audit.note(entry);
    if (durable) step(this.#ports, "outcome", attempt);
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

  outcome(attempt: Attempt, status: CallStatus, text: string, policies: readonly string[]): CallOutcome {
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
}
