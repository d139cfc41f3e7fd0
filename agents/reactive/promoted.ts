/**
 * Playbooks that became rules (docs/LEARNING.md): when their alarm is raised, the reactive tier makes their calls itself, or notes
 * what it would have done while they are on trial. Nothing is asked while it decides.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import type { Known } from "../learning/library.ts";
import { trialOf } from "../learning/stages.ts";
import { ruleOf } from "../loop/track-record.ts";
import { fitting } from "../playbooks/playbooks.ts";
import type { Ids } from "../shared/ids.ts";
import { seenGoneMs } from "../shared/seen-gone.ts";
import { type AlarmEvent, matterOf } from "../shared/standing.ts";

/** Beyond it the tiers above see to it: what comes back at once was not repaired. */
const tries_max = 3;
const tries_within_ms = 600_000;
const matters_max = 1024;

export interface Plan {
  readonly known: Known;
  readonly event: AlarmEvent;
  /** It is on trial: asked of the broker as a dry run. */
  readonly dry: boolean;
  /** As it begins: pending, or not carried out and why. */
  readonly decision: Decision;
}

export class Promoted {
  readonly #ids: Ids;
  readonly #boot_ms: () => number;
  #by_alarm = new Map<string, Known[]>();
  /** Names of those that failed here: off until a document says that they are rules again. */
  readonly #off = new Map<string, number | null>();
  readonly #tries = new Map<string, number[]>();

  constructor(ids: Ids, boot_ms: () => number) {
    this.#ids = ids;
    this.#boot_ms = boot_ms;
  }

  /** Rules and trials that there are. */
  get count(): number {
    return new Set([...this.#by_alarm.values()].flat()).size;
  }

  /** What counts from now on. */
  set(all: readonly Known[]): void {
    this.#by_alarm = new Map();
    for (const known of all) {
      const { stage } = known.learning;
      if (stage !== "rule" && stage !== "trial") continue;
      for (const alarm of known.playbook.alarms) this.#by_alarm.set(alarm, [...(this.#by_alarm.get(alarm) ?? []), known]);
    }
  }

  /** It failed: it is no rule any more, whatever its document says until somebody has changed that. */
  switchOff({ playbook, document }: Known): void {
    this.#off.set(playbook.name, document?.version ?? null);
  }

  /** @returns at most one that acts, and those on trial */
  take(event: Event): Plan[] {
    if (event.kind !== "alarm.changed" || !event.facts.raised) return [];
    const began_ms = performance.now();
    const plans: Plan[] = [];
    for (const known of this.#by_alarm.get(event.facts.alarm) ?? []) {
      const dry = known.learning.stage === "trial";
      const [fit] = fitting([known.playbook], event.facts.alarm, event.facts.subject);
      if (fit === undefined || this.#isOff(known) || (!dry && plans.some((plan) => !plan.dry))) continue;
      const { name, does, watch_ms } = known.playbook;
      const too_often = !dry && !this.#mayTry(matterOf(event), began_ms);
      // what a learned one takes from the subject may be text from outside: the policies then judge the whole call as such
      const tainted = event.untrusted === undefined || known.bundled ? [] : [""];
      const calls = fit.calls.map(({ tool, arguments: args, may_fail }) => ({ tool, arguments: { ...args }, may_fail, tainted }));
      const detail = too_often
        ? `not carried out, more than ${tries_max} in ${tries_within_ms / 1000} s: the tiers above see to it`
        : dry
          ? "the broker is asked what it would do"
          : "the calls are being made";
      const decision: Decision = {
        ...{ id: this.#ids.decision(), time_ms: Date.now(), boot_ms: this.#boot_ms(), tier: "reactive", trigger: event },
        ...{ rule: dry ? trialOf(name) : ruleOf(name), based_on: [] },
        reason: `${does}: ${known.learning.history.at(-1)?.why ?? "a person made it a rule"}`,
        action: { do: "call", calls, watch_ms: Math.max(watch_ms, seenGoneMs(event.facts.alarm)) },
        took_us: Math.round((performance.now() - began_ms) * 1000),
        outcome: too_often ? { result: "suppressed", detail, after_ms: 0 } : { result: "pending", detail, after_ms: null },
      };
      plans.push({ known, event, dry, decision });
    }
    return plans;
  }

  #isOff({ playbook, document }: Known): boolean {
    return this.#off.has(playbook.name) && this.#off.get(playbook.name) === (document?.version ?? null);
  }

  #mayTry(matter: string, now_ms: number): boolean {
    const recent = (this.#tries.get(matter) ?? []).filter((at_ms) => now_ms - at_ms < tries_within_ms);
    if (recent.length >= tries_max) return false;
    this.#tries.delete(matter);
    this.#tries.set(matter, [...recent, now_ms]);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > matters_max && oldest !== undefined) this.#tries.delete(oldest);
    return true;
  }
}
