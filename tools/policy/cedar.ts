/** Cedar (cedarpolicy.com), the policy language and its engine: the official build to WebAssembly, as files beside the executable. */

import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";
import { forgetNative, loadNative } from "../../wire/native.ts";

export type { CedarValueJson, EntityJson, PolicyJson, SchemaJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
export type CedarModule = typeof Cedar;

export const cedar_package = "@cedar-policy/cedar-wasm";

const cedar_for_node = `${cedar_package}/nodejs`;

/** @throws when its files are missing */
export function loadCedar(): CedarModule {
  return loadNative(cedar_for_node) as CedarModule;
}

/** Milliseconds without a question after which Cedar is let go: more than the tiers' patrol takes between two rounds. */
const cedar_idle_ms = 45_000;

/**
 * Cedar while it is needed. It is loaded when it is asked for: compiling it takes a fifth of a second, which nobody should
 * wait for who does not need it. And it is let go when nobody has asked it for a while: it takes some 30 MB, and what an idle
 * system asks again and again is answered from memory (`ParsedSets`). So do not keep what this returns.
 */
export function lazyCedar(idle_ms = cedar_idle_ms): () => CedarModule {
  let loaded: CedarModule | null = null;
  let used_ms = 0;
  const letGoLater = (wait_ms: number): void => {
    const look = (): void => {
      const left_ms = used_ms + idle_ms - performance.now();
      if (left_ms > 0) {
        letGoLater(left_ms);
      } else {
        loaded = null;
        forgetNative(cedar_for_node);
        Bun.gc(true); // the collector sees a few kilobytes in it and would not come for them
      }
    };
    setTimeout(look, wait_ms).unref();
  };
  return () => {
    used_ms = performance.now();
    if (loaded === null) {
      loaded = loadCedar();
      letGoLater(idle_ms);
    }
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
  /** The Cedar that holds these places: another one, loaded later, has none of them. Held weakly, so that it can be let go. */
  #holder: WeakRef<CedarModule> | null = null;

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
    const cedar = this.#cedar();
    const answer = cedar.statefulIsAuthorized({ ...question, preparsedPolicySetId: this.#placeOf(cedar, key, policies) });
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

  #placeOf(cedar: CedarModule, key: string, policies: () => Record<string, Cedar.PolicyJson>): string {
    if (this.#holder?.deref() !== cedar) {
      this.#places.clear();
      this.#holder = new WeakRef(cedar);
    }
    const held = this.#places.get(key);
    if (held !== undefined) {
      this.#places.delete(key);
      this.#places.set(key, held);
      return held;
    }
    const place = this.#freePlace();
    const answer = cedar.preparsePolicySet(place, { staticPolicies: policies() });
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
