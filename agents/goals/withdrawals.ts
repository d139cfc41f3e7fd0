/**
 * Calls that wait for a person on behalf of a goal: once nobody goes on with the plan nobody should approve them any more. They are read
 * from the steps each time, so that a goal that ends while this tier is away is no exception.
 */

import type { WorkChange } from "../../contracts/memory/working/changes.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { decidedOf } from "../loop/approval.ts";
import type { BasePorts } from "../loop/ports.ts";
import { type Goal, Goals, type Step } from "./goals.ts";

/** What went wrong is left alone for a while. */
const pause_after_error_ms = 10_000;

export type WithdrawalPorts = Pick<BasePorts, "broker" | "memory" | "boot_ms" | "log">;

export class Withdrawals {
  readonly #ports: WithdrawalPorts;
  readonly #goals: Goals;
  /** Steps, and until when they are left alone. */
  readonly #paused = new Map<string, number>();

  constructor(ports: WithdrawalPorts) {
    this.#ports = ports;
    // not the name under which goals are worked on: that lease would be taken from work that is under way
    this.#goals = new Goals(ports.memory, `withdrawals-${process.pid}-${Math.round(ports.boot_ms())}`);
  }

  /** @param open goals that have not ended: whose call is among what they wait for is not looked at any further */
  async look(open: readonly Goal[]): Promise<void> {
    const waited_for = new Set(open.map(({ state, body }) => (state === "blocked" ? (body.waits_for?.call ?? null) : null)));
    const waiting = (await this.#goals.waiting()).filter(({ call }) => !waited_for.has(call));
    for (const id of this.#paused.keys()) if (!waiting.some(({ step }) => step.id === id)) this.#paused.delete(id);
    for (const { step, call } of waiting) {
      if ((this.#paused.get(step.id) ?? 0) > performance.now()) continue;
      try {
        const goal = await this.#goals.leftBy(step);
        if (goal !== null) await this.#end(goal, step, call);
      } catch (error) {
        this.#paused.set(step.id, performance.now() + pause_after_error_ms);
        this.#ports.log.warn(`withdrawing "${call}" failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  async #end(goal: Goal, { id, version, body }: Step, call: string): Promise<void> {
    const outcome = await this.#withdrawn(call, `the goal ${goal.id} is not pursued with that plan any more`);
    if (outcome === null) return;
    const held = await this.#goals.take(goal);
    if (held === null) return; // it is looked at again
    const result = (outcome === "unknown" ? "nobody knows of the call" : `${outcome.status}: ${outcome.text}`).slice(0, 2000);
    const changes: WorkChange[] =
      outcome !== "unknown" && outcome.status === "done"
        ? [
            { do: "move", id, version, to: "running" },
            { do: "move", id, version: version + 1, to: "done", patch: { result } },
          ]
        : [{ do: "move", id, version, to: "failed", patch: { result } }];
    await held.change(changes, `step "${body.key}" is not gone on with: ${result}`).finally(() => held.release());
  }

  /** @returns what came of it; null while it runs: what runs for a goal stays */
  async #withdrawn(call: string, reason: string): Promise<CallOutcome | "unknown" | null> {
    const { broker } = this.#ports;
    const decided = await decidedOf(call, broker);
    if (decided !== null) return decided;
    const { approval } = await broker().call("calls/get", { call });
    return approval?.state === "waiting" ? await broker().call("calls/cancel", { call, reason }) : null;
  }
}
