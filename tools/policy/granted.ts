/** What a grant permits, asked of Cedar: a grant is a policy, in a set of its own. */

import type { Grant } from "../../contracts/permission.ts";
import { evaluated } from "./asking.ts";
import { type CedarModule, ParsedSets, type PolicyJson } from "./cedar.ts";
import { grantPolicy } from "./grant-policy.ts";
import { type Mentioned, mentionedIn } from "./mentioned.ts";
import { type Asked, type AskedContext, cedarQuestion } from "./question.ts";

/** Policies that are remembered; they are quickly made again. */
const remembered_max = 500;

export class Granted {
  readonly #sets: ParsedSets;
  /** By id: a grant never changes. */
  readonly #policies = new Map<string, { readonly policy: PolicyJson; readonly mentioned: Mentioned }>();

  constructor(cedar: () => CedarModule) {
    this.#sets = new ParsedSets(cedar);
  }

  /** @throws when Cedar refuses the grant or the question */
  permits(grant: Grant, asked: Asked, context: AskedContext, now_ms: number): boolean {
    const { policy, mentioned } = this.#policyOf(grant);
    // of time a grant names its end alone: all moments before it are the same question
    const told = { ...context, now_ms: now_ms < grant.expires_ms ? 0 : now_ms };
    return evaluated(this.#sets.ask(grant.id, () => ({ [grant.id]: policy }), cedarQuestion(asked, told, mentioned))).allowed;
  }

  #policyOf(grant: Grant) {
    const known = this.#policies.get(grant.id);
    if (known !== undefined) return known;
    const policy = policyOfGrant(grant);
    const made = { policy, mentioned: mentionedIn([policy]) };
    if (this.#policies.size >= remembered_max) this.#policies.clear();
    this.#policies.set(grant.id, made);
    return made;
  }
}

export function policyOfGrant(grant: Grant): PolicyJson {
  return grantPolicy(grant, grant.principal.startsWith("person:") ? "observer" : null);
}
