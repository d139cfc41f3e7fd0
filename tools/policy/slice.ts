/**
 * Of a set of policies, those whose scope can fit a question at all: the others cannot decide anything, and asking them
 * costs Cedar two to ten microseconds each. A scope of a form that is not known here counts as fitting.
 */

import type { CedarValueJson, PolicyJson, TypeAndId } from "./cedar.ts";
import { type Mentioned, mentionedIn } from "./mentioned.ts";
import type { Named, ResourceEntity } from "./question.ts";

/** Policies that can fit a question. */
export interface Slice {
  /** Their places in the list: the same ones are the same set. */
  readonly key: string;
  readonly places: readonly number[];
  readonly mentioned: Mentioned;
}

/**
 * What the condition of a policy begins with, when that is so simple that it is seen without Cedar: `resource has …`, or a
 * fact of the context by itself. Where it does not hold, the rest is never looked at, and the policy says nothing.
 */
interface Guard {
  readonly of: "resource" | "context";
  readonly attribute: string;
}

/** Of one caller and action: places of policies in the list, by what they ask of the resource. */
interface Fitting {
  readonly always: readonly number[];
  readonly by_type: ReadonlyMap<string, readonly number[]>;
  /** Type and id → those for just this resource. */
  readonly equal: ReadonlyMap<string, readonly number[]>;
  /** Type and id → those for it and what is in it. */
  readonly within: ReadonlyMap<string, readonly number[]>;
  /** That some of these policies begin with. */
  readonly guards: ReadonlyMap<string, Guard>;
  /** Slices that have been asked for, by the names that selected them. */
  readonly slices: Map<string, Slice>;
}

/** Of one caller and action; beyond that they are put together anew. */
const slices_max = 256;

export class Slices {
  readonly #policies: readonly PolicyJson[];
  /** Name of the guard of each policy, or null. */
  readonly #guards: readonly (string | null)[];
  /** Action → principal → what fits; gone as soon as nobody remembers them. */
  readonly #fitting = new WeakMap<Named, WeakMap<Named, Fitting>>();

  constructor(policies: readonly PolicyJson[]) {
    this.#policies = policies;
    this.#guards = policies.map((policy) => nameOfGuard(guardOf(policy)));
  }

  of(principal: Named, action: Named, { uid, parents, attrs }: ResourceEntity, context: Readonly<Record<string, CedarValueJson>>): Slice {
    const fitting = this.#fittingOf(principal, action);
    const own = keyOf(uid.type, uid.id);
    let selected = uid.type;
    if (fitting.equal.has(own)) selected += `\0==${own}`;
    if (fitting.within.has(own)) selected += `\0${own}`;
    if (fitting.within.size > 0)
      for (const { type, id } of parents) {
        const name = keyOf(type, id);
        if (fitting.within.has(name)) selected += `\0${name}`;
      }
    for (const [name, { of, attribute }] of fitting.guards)
      if (of === "context" ? context[attribute] === true : Object.hasOwn(attrs, attribute)) selected += `\0${name}`;
    const known = fitting.slices.get(selected);
    if (known !== undefined) return known;
    const made = this.#make(fitting, selected);
    if (fitting.slices.size >= slices_max) fitting.slices.clear();
    fitting.slices.set(selected, made);
    return made;
  }

  /** @param selected the type, then what is named and which guards hold, each after a zero byte, which no id has */
  #make({ always, by_type, equal, within: inside }: Fitting, selected: string): Slice {
    const [type = "", ...names] = selected.split("\0");
    const named = names.flatMap((name) => (name.startsWith("==") ? equal.get(name.slice(2)) : inside.get(name)) ?? []);
    const candidates = [...always, ...(by_type.get(type) ?? []), ...named].sort((a, b) => a - b);
    const places = candidates.filter((at) => {
      const guard = this.#guards[at];
      return guard === null || guard === undefined || names.includes(guard);
    });
    const mentioned = mentionedIn(places.flatMap((at) => this.#policies[at] ?? []));
    return { key: places.join(), places, mentioned };
  }

  #fittingOf(principal: Named, action: Named): Fitting {
    const of_action = this.#fitting.get(action) ?? new WeakMap<Named, Fitting>();
    const known = of_action.get(principal);
    if (known !== undefined) return known;
    const always: number[] = [];
    const [by_type, equal, inside] = [new Map<string, number[]>(), new Map<string, number[]>(), new Map<string, number[]>()];
    const guards = new Map<string, Guard>();
    const add = (map: Map<string, number[]>, name: string, at: number): void => void map.set(name, [...(map.get(name) ?? []), at]);
    for (const [at, { principal: who, action: what, resource, conditions }] of this.#policies.entries()) {
      if (!principalFits(who, principal) || !actionFits(what, action)) continue;
      const guard = guardOf({ conditions });
      if (guard !== null) guards.set(nameOfGuard(guard) ?? "", guard);
      if (resource.op === "is")
        add(by_type, resource.entity_type, at); // and what it is in is left to Cedar
      else if (resource.op === "==" && "entity" in resource) add(equal, nameOf(resource.entity), at);
      else if (resource.op === "in" && "entity" in resource) add(inside, nameOf(resource.entity), at);
      else always.push(at);
    }
    const fitting: Fitting = { always, by_type, equal, within: inside, guards, slices: new Map() };
    of_action.set(principal, fitting);
    this.#fitting.set(action, of_action);
    return fitting;
  }
}

function guardOf({ conditions: [first] }: Pick<PolicyJson, "conditions">): Guard | null {
  if (first?.kind !== "when") return null;
  let expression = first.body;
  while ("&&" in expression && !Array.isArray(expression["&&"])) expression = expression["&&"].left;
  if ("has" in expression && !Array.isArray(expression.has)) {
    const { left, attr } = expression.has;
    if ("Var" in left && left.Var === "resource" && typeof attr === "string") return { of: "resource", attribute: attr };
  }
  if ("." in expression && !Array.isArray(expression["."])) {
    const { left, attr } = expression["."];
    if ("Var" in left && left.Var === "context") return { of: "context", attribute: attr };
  }
  return null;
}

/** No entity's name begins like this. */
function nameOfGuard(guard: Guard | null): string | null {
  return guard === null ? null : `?${guard.of}.${guard.attribute}`;
}

function nameOf(entity: TypeAndId | { __entity: TypeAndId }): string {
  const { type, id } = entityOf(entity);
  return keyOf(type, id);
}

function keyOf(type: string, id: string): string {
  return `${type}::${id}`;
}

export function principalFits(scope: PolicyJson["principal"], principal: Named): boolean {
  switch (scope.op) {
    case "==":
      return !("entity" in scope) || same(entityOf(scope.entity), principal.uid);
    case "in":
      return !("entity" in scope) || within(entityOf(scope.entity), principal);
    case "is":
      return (
        scope.entity_type === principal.uid.type &&
        (scope.in === undefined || !("entity" in scope.in) || within(entityOf(scope.in.entity), principal))
      );
    default:
      return true;
  }
}

export function actionFits(scope: PolicyJson["action"], action: Named): boolean {
  switch (scope.op) {
    case "==":
      return !("entity" in scope) || same(entityOf(scope.entity), action.uid);
    case "in": {
      const groups = "entities" in scope ? scope.entities : [scope.entity];
      return groups.some((group) => within(entityOf(group), action));
    }
    default:
      return true;
  }
}

function entityOf(entity: TypeAndId | { __entity: TypeAndId }): TypeAndId {
  return "__entity" in entity ? entity.__entity : entity;
}

function within(group: TypeAndId, { uid, groups }: Named): boolean {
  return same(group, uid) || groups.some((one) => same(group, one));
}

function same(a: TypeAndId, b: TypeAndId): boolean {
  return a.type === b.type && a.id === b.id;
}
