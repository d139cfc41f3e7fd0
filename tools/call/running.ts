/** The call itself: a look, or a change with its intent, its before-image, its check, and the way back when it fails. */

import type { CallResult, Principal, Resource } from "../../contracts/tool.ts";
import { issuesText } from "../../wire/issues.ts";
import { type AnyTool, type Past, type Target, ToolError } from "../tool.ts";
import type { Admitted, Attempt } from "./attempt.ts";
import { bounded, look, Runaway } from "./bounded.ts";
import type { Ending } from "./ending.ts";
import { entryOf, failure, outcomeOf, textOf } from "./entries.ts";
import { type CallPorts, contextOf, type Ended, step } from "./ports.ts";

const verify_limit_ms = 30_000;
/** Taking back may take as long as doing, and a little more. */
const undo_grace_ms = 60_000;

export class Running {
  readonly #ports: CallPorts;
  readonly #ending: Ending;

  constructor(ports: CallPorts, ending: Ending) {
    this.#ports = ports;
    this.#ending = ending;
  }

  async observe(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const { tool, abort } = attempt;
    const output = await look(`running ${tool.name}`, tool.timeout_ms, abort.signal, (signal) =>
      tool.run(admitted.target, attempt.input, contextOf(this.#ports, attempt, signal)),
    );
    step(this.#ports, "run", attempt);
    const value = this.#answer(attempt, output);
    return await this.#ending.write(
      attempt,
      admitted.resources,
      admitted.verdict.policies,
      { status: "done", text: `${tool.name}: done`, output: value },
      "note",
    );
  }

  async change(attempt: Attempt, admitted: Admitted): Promise<CallResult> {
    const { tool, call, request } = attempt;
    const { resources, verdict, target } = admitted;
    const refusal = this.#ports.audit.degradation ?? this.#ports.unrecovered();
    if (refusal !== null)
      return await this.#ending.write(attempt, resources, verdict.policies, {
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
    step(this.#ports, "intent", attempt);
    const image = await this.#keepImage(attempt, target, resources);
    this.#awaitConfirmation(attempt, image);
    let output: unknown = null;
    try {
      const raw = await bounded(`running ${tool.name}`, tool.timeout_ms, attempt.abort.signal, (signal) =>
        tool.run(target, attempt.input, contextOf(this.#ports, attempt, signal)),
      );
      step(this.#ports, "run", attempt);
      output = this.#answer(attempt, raw);
      const verify = tool.verify;
      if (verify !== undefined)
        await bounded(`verifying ${tool.name}`, verify_limit_ms, attempt.abort.signal, (signal) =>
          verify.call(tool, target, attempt.input, output, contextOf(this.#ports, attempt, signal)),
        );
      step(this.#ports, "verify", attempt);
      this.#awaitConfirmation(attempt, image); // its time begins when it is done
    } catch (error) {
      if (error instanceof Runaway) {
        this.#ports.giveUp(`${tool.name} (${call}): ${error.message}`);
        return failure(outcomeOf(call, tool.name, request.principal, "uncertain", textOf(error), 0));
      }
      return await this.#ending.write(attempt, resources, verdict.policies, await this.#takenBack(attempt, image, output, error));
    }
    try {
      return await this.#ending.write(attempt, resources, verdict.policies, { status: "done", text: `${tool.name}: done`, output });
    } catch (error) {
      // What is not on record must not stand. Should the record have come through after all, recovery does no harm.
      const cause = new Error(`recording the outcome of ${tool.name} failed: ${textOf(error)}`);
      const back = await this.#takenBack(attempt, image, output, cause);
      return failure(this.#ending.outcome(attempt, back.status, back.text, verdict.policies));
    }
  }

  /** Before the change, so that whatever interrupts it, nothing stays that nobody confirmed. */
  #awaitConfirmation({ tool, call, request, input }: Attempt, image: unknown): void {
    const by_itself = tool.confirmWithin?.(input) ?? tool.confirm_within_s ?? 0;
    const within_s = request.meta.confirm_within_s ?? (request.redoes === null ? by_itself : 0);
    if (within_s > 0 && image !== null && tool.undo !== undefined) this.#ports.confirmations.await(call, within_s);
  }

  async #keepImage(attempt: Attempt, target: Target, resources: readonly Resource[]): Promise<unknown> {
    const { tool, call, request } = attempt;
    const snapshot = tool.snapshot;
    if (tool.image === null || snapshot === undefined) return null;
    const image: unknown = await bounded(`keeping the state before ${tool.name}`, tool.timeout_ms, attempt.abort.signal, (signal) =>
      snapshot.call(tool, target, attempt.input, contextOf(this.#ports, attempt, signal)),
    );
    const parsed = tool.image.safeParse(image);
    if (!parsed.success)
      throw new ToolError(`keeping the state before ${tool.name} failed: it does not fit its own schema: ${issuesText(parsed.error)}`);
    await this.#ports.audit.append({ ...entryOf(request, call, resources), kind: "image", body: { image } });
    step(this.#ports, "image", attempt);
    return parsed.data;
  }

  /** Its answer, checked. */
  #answer(attempt: Attempt, raw: unknown): unknown {
    const parsed = attempt.tool.output.safeParse(raw);
    if (!parsed.success)
      throw new Error(`the answer of ${attempt.tool.name} does not fit its own schema: ${issuesText(parsed.error)}; this is a defect`);
    step(this.#ports, "output", attempt);
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
      step(this.#ports, "undo", attempt);
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
}
