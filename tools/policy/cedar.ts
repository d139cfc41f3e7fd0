/** Cedar (cedarpolicy.com), the policy language and its engine: the official build to WebAssembly, as files beside the executable. */

import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";
import { loadNative } from "../../wire/native.ts";

export type { CedarValueJson, EntityJson, PolicyJson, SchemaJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
export type CedarModule = typeof Cedar;

export const cedar_package = "@cedar-policy/cedar-wasm";

/** @throws when its files are missing */
export function loadCedar(): CedarModule {
  return loadNative(`${cedar_package}/nodejs`) as CedarModule;
}

/** Loaded when it is asked for: compiling it takes a fifth of a second, which nobody should wait for who does not need it. */
export function lazyCedar(): () => CedarModule {
  let loaded: CedarModule | null = null;
  return () => {
    loaded ??= loadCedar();
    return loaded;
  };
}

/** A question in Cedar's terms. */
export interface CedarQuestion {
  readonly principal: Cedar.TypeAndId;
  readonly action: Cedar.TypeAndId;
  readonly resource: Cedar.TypeAndId;
  readonly context: Record<string, Cedar.CedarValueJson>;
  readonly entities: Cedar.EntityJson[];
}

export interface CedarAnswer {
  readonly allowed: boolean;
  /** Names of the policies that decided. */
  readonly decided_by: readonly string[];
  /** Policies that could not be evaluated, which Cedar itself would pass over. */
  readonly errors: readonly string[];
}

/** Parsed sets that Cedar holds at a time; it never gives one back, but takes a new one under an old name. */
const places_max = 256;

/** Answers that are remembered. */
const answers_max = 2000;

/** Cedar has one list of names in a process: no two of us may use the same. */
let made = 0;

/**
 * Sets of policies that Cedar has parsed. Which policies are in a set is its key: a policy never changes under its name,
 * so a set is never stale. When all places are taken, the set that was asked longest ago makes room.
 *
 * Cedar has no state and no clock, so the same question to the same policies has the same answer: it is remembered. What the
 * policies do not speak of is not in the question (`cedarQuestion`), so two calls a second apart are mostly the same one.
 */
export class ParsedSets {
  readonly #cedar: () => CedarModule;
  readonly #prefix: string;
  /** Key → its place, the one asked longest ago first. */
  readonly #places = new Map<string, string>();
  /** Key and question → answer, the oldest first. */
  readonly #answers = new Map<string, CedarAnswer>();

  constructor(cedar: () => CedarModule) {
    this.#cedar = cedar;
    made += 1;
    this.#prefix = `${made}-`;
  }

  /** @throws when Cedar refuses the policies or the question */
  ask(key: string, policies: () => Record<string, Cedar.PolicyJson>, question: CedarQuestion): CedarAnswer {
    const asked = `${key}\0${JSON.stringify(question)}`;
    const known = this.#answers.get(asked);
    if (known !== undefined) return known;
    const answer = this.#cedar().statefulIsAuthorized({ ...question, preparsedPolicySetId: this.#placeOf(key, policies) });
    if (answer.type === "failure") throw new Error(answer.errors.map((one) => one.message).join("; "));
    const { decision, diagnostics } = answer.response;
    const found: CedarAnswer = {
      allowed: decision === "allow",
      decided_by: diagnostics.reason,
      errors: diagnostics.errors.map((one) => `"${one.policyId}": ${one.error.message}`),
    };
    this.#answers.set(asked, found);
    if (this.#answers.size > answers_max) this.#answers.delete(this.#answers.keys().next().value ?? "");
    return found;
  }

  #placeOf(key: string, policies: () => Record<string, Cedar.PolicyJson>): string {
    const held = this.#places.get(key);
    if (held !== undefined) {
      this.#places.delete(key);
      this.#places.set(key, held);
      return held;
    }
    const place = this.#freePlace();
    const answer = this.#cedar().preparsePolicySet(place, { staticPolicies: policies() });
    if (answer.type === "failure") throw new Error(answer.errors.map((one) => one.message).join("; "));
    this.#places.set(key, place);
    return place;
  }

  #freePlace(): string {
    if (this.#places.size < places_max) return `${this.#prefix}${this.#places.size}`;
    const [oldest] = this.#places;
    if (oldest === undefined) throw new Error("finding a place for a policy set failed: there is none");
    this.#places.delete(oldest[0]);
    return oldest[1];
  }
}
