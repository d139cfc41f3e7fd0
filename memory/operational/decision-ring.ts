/** The newest decisions, as columns. What came of a decision arrives later, under the same id, and takes its place. */

import type { Decision } from "../../contracts/decision.ts";
import { Outcome } from "../../contracts/decision.ts";
import type { RecentDecision } from "../../contracts/memory/operational.ts";
import { Names } from "./names.ts";

export const decisions_max = 16_384;
const results = Outcome.shape.result.options;
/** An outcome comes soon after its decision: further back it is not looked for. */
const look_back_max = 4096;

/** What was held of a decision before. */
export interface Earlier {
  readonly boot_ms: number;
  readonly result: RecentDecision["result"];
  readonly known: boolean;
}

export class DecisionRing {
  readonly #capacity: number;
  readonly #boot_ms: Float64Array;
  readonly #sequence: Float64Array;
  readonly #tier: Uint16Array;
  readonly #rule: Uint16Array;
  readonly #service: Uint16Array;
  readonly #result: Uint8Array;
  readonly #names = new Names();
  /** The largest sequence of each tier: a larger one is new for sure. */
  readonly #largest = new Map<string, number>();
  #taken = 0;

  constructor(
    readonly boot: string,
    capacity = decisions_max,
  ) {
    this.#capacity = capacity;
    this.#boot_ms = new Float64Array(capacity);
    this.#sequence = new Float64Array(capacity);
    this.#tier = new Uint16Array(capacity);
    this.#rule = new Uint16Array(capacity);
    this.#service = new Uint16Array(capacity);
    this.#result = new Uint8Array(capacity);
  }

  get held(): number {
    return Math.min(this.#taken, this.#capacity);
  }

  get bytes(): number {
    return this.held * 23;
  }

  get overflowed(): number {
    return this.#names.overflowed;
  }

  /** @param boot_ms when it counts as made @returns what was held of it before, or null when it is new */
  put({ id, tier, rule, outcome, trigger }: Decision, boot_ms: number): Earlier | null {
    const sequence = Number(id.slice(id.lastIndexOf("-") + 1));
    const known = this.#find(tier, sequence);
    if (known !== null) {
      const earlier = { boot_ms: this.#boot_ms[known] ?? 0, result: results[this.#result[known] ?? 0] ?? "pending", known: true };
      this.#result[known] = results.indexOf(outcome.result);
      return earlier;
    }
    const at = this.#taken % this.#capacity;
    this.#boot_ms[at] = boot_ms;
    this.#sequence[at] = sequence;
    this.#tier[at] = this.#names.number(tier);
    this.#rule[at] = this.#names.number(rule);
    this.#service[at] = this.#names.number("service" in trigger.facts ? trigger.facts.service : null);
    this.#result[at] = results.indexOf(outcome.result);
    this.#taken += 1;
    this.#largest.set(tier, Math.max(sequence, this.#largest.get(tier) ?? 0));
    return null;
  }

  /** The newest, oldest first. */
  query(since_ms: number, limit: number): RecentDecision[] {
    const found: RecentDecision[] = [];
    for (let position = this.#taken - 1; position >= this.#taken - this.held && found.length < limit; position -= 1) {
      const at = position % this.#capacity;
      if ((this.#boot_ms[at] ?? 0) >= since_ms) found.push(this.#entry(at));
    }
    return found.reverse();
  }

  #entry(at: number): RecentDecision {
    const tier = this.#names.name(this.#tier[at] ?? 0);
    const service = this.#names.name(this.#service[at] ?? 0);
    return {
      id: `${this.boot}-d-${tier}-${this.#sequence[at] ?? 0}`,
      boot_ms: this.#boot_ms[at] ?? 0,
      tier,
      rule: this.#names.name(this.#rule[at] ?? 0),
      service: service === "" ? null : service,
      result: results[this.#result[at] ?? 0] ?? "pending",
    };
  }

  #find(tier: string, sequence: number): number | null {
    if (sequence > (this.#largest.get(tier) ?? -1)) return null;
    const number = this.#names.known(tier);
    const oldest = Math.max(this.#taken - this.held, this.#taken - look_back_max);
    for (let position = this.#taken - 1; position >= oldest; position -= 1) {
      const at = position % this.#capacity;
      if (this.#sequence[at] === sequence && this.#tier[at] === number) return at;
    }
    return null;
  }
}
