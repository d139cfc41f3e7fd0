/** From an event to decisions on record: what the engine chose, carried out, with what came of it. */

import type { Decision, Outcome } from "../../contracts/decision.ts";
import type { Event, Severity } from "../../contracts/event.ts";
import type { Ids } from "../shared/ids.ts";
import type { Engine, Match } from "./engine.ts";

export interface DecidePorts {
  /** The boot clock, milliseconds. */
  readonly boot_ms: () => number;
  /** Carries it out. Does not throw. */
  readonly act: (decision: Decision) => Promise<Omit<Outcome, "after_ms">>;
  /** Keeps the decision as it is now; called again with the same id when its outcome is known. */
  readonly record: (decision: Decision, severity: Severity) => void;
}

const left_to_pid1 = "PID 1 restarts it after its own wait";

export class Decider {
  readonly #engine: Engine;
  readonly #ids: Ids;
  readonly #ports: DecidePorts;
  #decisions = 0;

  constructor(engine: Engine, ids: Ids, ports: DecidePorts) {
    this.#engine = engine;
    this.#ids = ids;
    this.#ports = ports;
  }

  get decisions(): number {
    return this.#decisions;
  }

  take(event: Event): void {
    const began_ms = performance.now();
    const matches = this.#engine.take(event, began_ms);
    if (matches.length === 0) return;
    const took_us = Math.round((performance.now() - began_ms) * 1000);
    for (const match of matches) this.#decide(event, match, took_us);
  }

  #decide(event: Event, match: Match, took_us: number): void {
    this.#decisions += 1;
    const decision: Decision = {
      id: this.#ids.decision(),
      time_ms: Date.now(),
      boot_ms: this.#ports.boot_ms(),
      tier: "reactive",
      trigger: event,
      rule: match.rule.name,
      based_on: [...match.based_on],
      reason: match.reason,
      action: match.action,
      took_us,
      outcome: firstOutcome(match),
    };
    match.state.decided(decision.id);
    this.#ports.record(decision, match.rule.severity);
    if (decision.outcome.result === "pending") void this.#carryOut(decision, match.rule.severity);
  }

  async #carryOut(decision: Decision, severity: Severity): Promise<void> {
    const outcome = await this.#ports.act(decision);
    const after_ms = Math.round(this.#ports.boot_ms() - decision.boot_ms);
    this.#ports.record({ ...decision, outcome: { ...outcome, after_ms } }, severity);
  }
}

function firstOutcome({ action, suppressed }: Match): Outcome {
  if (suppressed !== null) {
    const then = action.do === "restart" ? `: ${left_to_pid1}` : "";
    return { result: "suppressed", detail: `not carried out, ${suppressed}${then}`, after_ms: 0 };
  }
  if (action.do === "log") return { result: "done", detail: "recorded", after_ms: 0 };
  return { result: "pending", detail: "asked of PID 1", after_ms: null };
}
