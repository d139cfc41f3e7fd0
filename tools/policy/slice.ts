/**
 * Of a set of policies, those whose scope can fit a question at all: the others cannot decide anything, and asking them
 * costs Cedar two to ten microseconds each. A scope of a form that is not known here counts as fitting.
 */

import type { PolicyJson, TypeAndId } from "./cedar.ts";
import type { Named, ResourceEntity } from "./question.ts";

/** Of one caller and action: places of policies in the list, by what they ask of the resource. */
interface Fitting {
  readonly always: readonly number[];
  readonly by_type: ReadonlyMap<string, readonly number[]>;
  /** Type and id → those for just this resource. */
  readonly equal: ReadonlyMap<string, readonly number[]>;
  /** Type and id → those for it and what is in it. */
  readonly within: ReadonlyMap<string, readonly number[]>;
}

export class Slices {
  readonly #policies: readonly PolicyJson[];
  /** Action → principal → what fits; gone as soon as nobody remembers them. */
  readonly #fitting = new WeakMap<Named, WeakMap<Named, Fitting>>();

  constructor(policies: readonly PolicyJson[]) {
    this.#policies = policies;
  }

  /** @returns places in the list of those that can fit, ascending */
  of(principal: Named, action: Named, resource: ResourceEntity): number[] {
    const { always, by_type, equal, within: inside } = this.#fittingOf(principal, action);
    const { type, id } = resource.uid;
    const found = [...always, ...(by_type.get(type) ?? []), ...(equal.get(keyOf(type, id)) ?? []), ...(inside.get(keyOf(type, id)) ?? [])];
    if (inside.size > 0) for (const parent of resource.parents) found.push(...(inside.get(keyOf(parent.type, parent.id)) ?? []));
    return found.sort((a, b) => a - b);
  }

  #fittingOf(principal: Named, action: Named): Fitting {
    const of_action = this.#fitting.get(action) ?? new WeakMap<Named, Fitting>();
    const known = of_action.get(principal);
    if (known !== undefined) return known;
    const always: number[] = [];
    const [by_type, equal, inside] = [new Map<string, number[]>(), new Map<string, number[]>(), new Map<string, number[]>()];
    const add = (map: Map<string, number[]>, name: string, at: number): void => void map.set(name, [...(map.get(name) ?? []), at]);
    for (const [at, { principal: who, action: what, resource }] of this.#policies.entries()) {
      if (!principalFits(who, principal) || !actionFits(what, action)) continue;
      if (resource.op === "is")
        add(by_type, resource.entity_type, at); // and what it is in is left to Cedar
      else if (resource.op === "==" && "entity" in resource) add(equal, nameOf(resource.entity), at);
      else if (resource.op === "in" && "entity" in resource) add(inside, nameOf(resource.entity), at);
      else always.push(at);
    }
    const fitting = { always, by_type, equal, within: inside };
    of_action.set(principal, fitting);
    this.#fitting.set(action, of_action);
    return fitting;
  }
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
