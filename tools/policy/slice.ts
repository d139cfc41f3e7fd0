/**
 * Of a set of policies, those whose scope can fit a principal and an action at all: the others cannot decide anything, and
 * asking them costs Cedar two microseconds each. A scope of a form that is not known here counts as fitting.
 */

import type { PolicyJson, TypeAndId } from "./cedar.ts";
import type { Named } from "./question.ts";

export function canFit(policy: PolicyJson, principal: Named, action: Named): boolean {
  return principalFits(policy.principal, principal) && actionFits(policy.action, action);
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
