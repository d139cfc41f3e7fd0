/** What a call would do, shown instead of doing it: to whoever asks beforehand, and to the person whose approval it needs. */

import type { Approval } from "../../contracts/permission.ts";
import type { CallResult, Resource } from "../../contracts/tool.ts";
import type { Preview } from "../tool.ts";
import type { Admitted, Attempt } from "./attempt.ts";
import { look } from "./bounded.ts";
import type { Ending } from "./ending.ts";
import { digestOf, failure } from "./entries.ts";
import { type CallPorts, contextOf, resolve_limit_ms } from "./ports.ts";
import { approval_limit_ms, type Waiting } from "./waiting.ts";

export class Showing {
  readonly #ports: CallPorts;
  readonly #ending: Ending;
  readonly #waiting: Waiting;

  constructor(ports: CallPorts, ending: Ending, waiting: Waiting) {
    this.#ports = ports;
    this.#ending = ending;
    this.#waiting = waiting;
  }

  async preview(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const shown = await this.shown(attempt, admitted);
    const needs = admitted.verdict.effect === "approval" ? "it would wait for a person" : "it would be made at once";
    const ended = {
      status: "previewed",
      text: `${attempt.tool.name}: nothing was done; ${needs}`,
      output: { ...shown, effect: admitted.verdict.effect },
    } as const;
    return await this.#ending.write(attempt, admitted.resources, admitted.verdict.policies, ended, "note");
  }

  async askPerson(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const { call, request, tool } = attempt;
    if (this.#ports.approvals.full)
      return await this.#ending.write(attempt, admitted.resources, admitted.verdict.policies, {
        status: "limited",
        text: `calling ${tool.name} failed: it needs a person's approval, and too many calls wait for one already`,
      });
    const shown = await this.shown(attempt, admitted);
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
      review: null,
    };
    const { secret } = this.#ports.redact(tool.input, request.arguments);
    const answer = await this.#waiting.ask(approval, request, { digest: digestOf(shown), secret });
    if (answer !== null) return answer;
    const text = `${tool.name} waits for a person: ${admitted.verdict.reason}; ask calls/get for ${call}`;
    return failure(this.#ending.outcome(attempt, "waiting", text, admitted.verdict.policies));
  }

  /** What a person decides about. */
  async shown(attempt: Attempt, admitted: Admitted): Promise<{ resources: readonly Resource[] } & Preview> {
    const { tool } = attempt;
    const preview = tool.preview;
    const none: Preview = {
      changes: admitted.resources.filter(({ access }) => access !== "read").map(({ kind, id, access }) => `${access} ${kind} ${id}`),
      final: admitted.risk === "irreversible" ? ["all of it"] : [],
    };
    const made =
      preview === undefined
        ? none
        : await look(`previewing ${tool.name}`, resolve_limit_ms, attempt.abort.signal, (signal) =>
            preview.call(tool, admitted.target, attempt.input, contextOf(this.#ports, attempt, signal)),
          );
    return { resources: admitted.resources, changes: made.changes, final: made.final };
  }
}
