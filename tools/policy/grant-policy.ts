/** A grant as a policy. Built as data in Cedar's own form, so that no name in it can be read as anything but a name. */

import type { Grant } from "../../contracts/permission.ts";
import type { Resource } from "../../contracts/tool.ts";
import type { CedarModule, PolicyJson } from "./cedar.ts";
import { namedSubject, type Subject } from "./question.ts";
import { kinds, rankOf } from "./vocabulary.ts";

type Expr = PolicyJson["conditions"][number]["body"];
type ScopeResource = Grant["scope"]["resources"][number];

/** @throws {BadQuestion} when the principal is none */
export function grantPolicy(grant: Pick<Grant, "id" | "principal" | "scope" | "expires_ms">, role: Subject["role"]): PolicyJson {
  const { uid } = namedSubject({ principal: grant.principal, role });
  return {
    effect: "permit",
    principal: { op: "==", entity: uid },
    action: { op: "in", entities: grant.scope.tools.map((id) => ({ type: "Action", id })) },
    resource: { op: "All" },
    conditions: [
      { kind: "when", body: either(grant.scope.resources.map(reaches)) },
      { kind: "when", body: { "<": { left: fact("now_ms"), right: { Value: grant.expires_ms } } } },
      { kind: "when", body: { "<=": { left: fact("risk_rank"), right: { Value: rankOf(grant.scope.risk) } } } },
    ],
    annotations: { id: grant.id },
  };
}

function reaches({ kind, id }: ScopeResource): Expr {
  const resource: Expr = { Var: "resource" };
  const { type } = kinds[kind];
  if (id === "*") return { is: { left: resource, entity_type: type } };
  const named: Expr = { Value: { __entity: { type, id } } };
  return kind === "path" ? { in: { left: resource, right: named } } : { "==": { left: resource, right: named } };
}

function fact(attr: string): Expr {
  return { ".": { left: { Var: "context" }, attr } };
}

/** A tree of small depth, so that the longest list is evaluated within Cedar's limit on nesting. */
function either(all: readonly Expr[]): Expr {
  const [first] = all;
  if (first === undefined) return { Value: false };
  if (all.length === 1) return first;
  const middle = all.length >> 1;
  return { "||": { left: either(all.slice(0, middle)), right: either(all.slice(middle)) } };
}

export function grantText(cedar: CedarModule, policy: PolicyJson): string {
  const answer = cedar.policyToText(policy);
  return answer.type === "success" ? answer.text : answer.errors.map((one) => one.message).join("; ");
}

/** Whether a grant can have to do with a tool and a resource at all. Cedar decides; this only spares it the others. */
export function mayReach({ scope }: Pick<Grant, "scope">, tool: string, resource: Resource, above: ReadonlySet<string>): boolean {
  const family = `${tool.slice(0, tool.indexOf("."))}.*`;
  if (!scope.tools.includes(tool) && !scope.tools.includes(family)) return false;
  return scope.resources.some(({ kind, id }) => kind === resource.kind && (id === "*" || id === resource.id || above.has(id)));
}
