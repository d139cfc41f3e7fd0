/** Policies that are asked together: those of them that can fit a question, and what they come to. */

import { type CedarAnswer, type CedarModule, ParsedSets, type PolicyJson } from "./cedar.ts";
import type { LoadedPolicy } from "./load.ts";
import { type Asked, type AskedContext, cedarQuestion } from "./question.ts";
import { Slices } from "./slice.ts";

export interface Ruled {
  /** `open`: nobody permits it, and nobody forbids it. */
  readonly is: "permitted" | "forbidden" | "open";
  /** Names of the policies that decided. */
  readonly by: readonly string[];
}

export class Asking {
  readonly #policies: readonly LoadedPolicy[];
  readonly #slices: Slices;
  /** The same policies that can fit are the same set. */
  readonly #sets: ParsedSets;

  constructor(policies: readonly LoadedPolicy[], cedar: () => CedarModule) {
    this.#policies = policies;
    this.#slices = new Slices(policies.map(({ json }) => json));
    this.#sets = new ParsedSets(cedar);
  }

  /** @throws when a policy cannot be evaluated, or Cedar refuses the question */
  rule(asked: Asked, context: AskedContext): Ruled {
    const { key, places, mentioned } = this.#slices.of(asked.named, asked.action, asked.entity, context);
    const question = cedarQuestion(asked, context, mentioned);
    const { allowed, decided_by: by } = evaluated(this.#sets.ask(key, () => this.#setOf(places), question));
    if (allowed) return { is: "permitted", by };
    return { is: by.length > 0 ? "forbidden" : "open", by };
  }

  #setOf(places: readonly number[]): Record<string, PolicyJson> {
    return Object.fromEntries(
      places.map((at) => {
        const policy = this.#policies[at];
        if (policy === undefined) throw new Error(`looking for policy ${at} failed: there are ${this.#policies.length}`);
        // Cedar copies the set at each question, annotations too
        return [policy.name, { ...policy.json, annotations: {} }];
      }),
    );
  }
}

/** @throws when a policy could not be evaluated: Cedar itself would pass over it */
export function evaluated(answer: CedarAnswer): CedarAnswer {
  if (answer.errors.length > 0) throw new Error(`a policy cannot be evaluated: ${answer.errors.join("; ")}`);
  return answer;
}
