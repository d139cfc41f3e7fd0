/** What a grant is to reach: how callers say it, and whether whoever gives it may give it. */

import { z } from "zod";
import { type Grant, Scope, ToolPattern } from "../../../../contracts/permission.ts";
import { type Principal, type Resource, Resource as ResourceSchema, Risk } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { realPath } from "../../../paths/real-path.ts";
import type { Approver, Question } from "../../../policy/authorise.ts";
import type { Permission } from "../../../policy/permission.ts";
import { BadQuestion, resourceEntity } from "../../../policy/question.ts";
import { rankOf } from "../../../policy/vocabulary.ts";
import { ToolError } from "../../../tool.ts";

/** What the tools of permission need besides the context; looked at only when one is called. */
export type PermissionPorts = Pick<Permission, "authority" | "stores">;

export const scope_input = {
  tools: z.array(ToolPattern).min(1).max(64).describe('Tools by name, or a whole family as "fs.*"'),
  resources: z
    .array(
      z.strictObject({
        kind: ResourceSchema.shape.kind.describe("What kind of thing"),
        id: z.string().min(1).max(4200).describe("Its name; a path means everything below it too; * means all of the kind"),
      }),
    )
    .min(1)
    .max(64)
    .describe("What may be touched. Name the least that is enough"),
  risk: Risk.default("reversible").describe("The highest risk that needs no person any more"),
  calls_max: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe("Good for so many calls; null: for any number until it ends"),
  expires_in_s: z.number().int().min(60).max(31_536_000).default(3600).describe("Seconds until it ends by itself"),
  reason: z.string().min(1).max(2000).describe("Why it is needed, for those who look at grants later"),
};

interface Asked {
  readonly tools: readonly string[];
  readonly resources: readonly { readonly kind: Resource["kind"]; readonly id: string }[];
  readonly risk: Risk;
  readonly calls_max: number | null;
}

/**
 * Calls are judged by the real paths that they touch, so a grant holds for the path to which the one that was said leads now.
 * @throws {ToolError} when a resource could never be matched
 */
export function scopeOf({ tools, resources, risk, calls_max }: Asked, about: string): Scope {
  for (const { kind, id } of resources) {
    try {
      resourceEntity({ kind, id: kind === "path" && id === "*" ? "/" : id, access: "read", attributes: {} });
    } catch (error) {
      if (!(error instanceof BadQuestion)) throw error;
      throw new ToolError(`${about} failed: ${error.message}`);
    }
  }
  const real = resources.map(({ kind, id }) => ({ kind, id: kind === "path" && id !== "*" ? realPath(id) : id }));
  return Scope.parse({ tools, resources: real, risk, calls_max });
}

/**
 * Nobody gives what he could not do himself, or approve as a person.
 * It is asked again at each use of the grant; this says it early, in words.
 * @throws {ToolError}
 */
export function demandGranter({ authority }: PermissionPorts, granter: Approver, scope: Scope, now_ms: number, about: string): void {
  for (const resource of scope.resources)
    for (const pattern of scope.tools) {
      const question = exampleOf(granter, pattern, resource, scope.risk, now_ms);
      const is_person = granter.principal.startsWith("person:");
      const verdict = is_person ? authority.mayApprove(question, granter) : authority.decide(question);
      if (verdict.effect === "deny")
        throw new ToolError(`${about} failed: "${granter.principal}" cannot give what he may not do: ${verdict.reason}`);
    }
}

/** A call that the grant would allow. */
function exampleOf(granter: Approver, pattern: string, { kind, id }: Asked["resources"][number], risk: Risk, now_ms: number): Question {
  const below = id === "*" || id === "/" ? "/x" : `${id}/x`;
  return {
    principal: granter.principal,
    role: granter.role,
    owner: null,
    tool: pattern.replace("*", "any"),
    risk,
    resources: [{ kind, id: kind === "path" ? below : id, access: risk === "observe" ? "read" : "write", attributes: {} }],
    context: { tainted: false, calls_last_hour: 0, cost_today_usd: 0, now_ms, approved: false },
  };
}

/** Somebody's permission, as the policies see it. @throws {ToolError} when it is an agent that there is not */
export function accountOf({ stores }: PermissionPorts, principal: Principal, risk: Risk, now_ms: number, about: string): Resource {
  const attributes: Record<string, string | number> = { risk: rankOf(risk) };
  if (principal === "system") throw new ToolError(`${about} failed: the broker itself needs no grants`);
  if (principal.startsWith("agent:")) {
    const agent = stores.agents.get(principal.slice("agent:".length), now_ms);
    if (agent === null) throw new ToolError(`${about} failed: there is no "${principal}" whose lease lasts; make it with sec.lease`);
    attributes["owner"] = agent.owner;
  }
  return { kind: "principal", id: principal, access: "write", attributes };
}

/** When it is to end: an agent's grants end with its lease at the latest. */
export function endOf({ stores }: PermissionPorts, principal: Principal, expires_in_s: number, now_ms: number): number {
  const lease = principal.startsWith("agent:") ? stores.agents.get(principal.slice("agent:".length), now_ms) : null;
  return Math.min(Math.floor(now_ms) + expires_in_s * 1000, lease?.expires_ms ?? Number.POSITIVE_INFINITY);
}

export function scopeLines({ tools, resources, risk, calls_max }: Scope): string[] {
  return [
    `may call ${tools.join(", ")}`,
    ...resources.map(
      ({ kind, id }) =>
        `on ${id === "*" ? `every ${kind}` : `${kind} ${JSON.stringify(id)}${kind === "path" ? " and everything below it" : ""}`}`,
    ),
    `up to the risk ${risk}, ${calls_max === null ? "any number of times" : `${calls_max} times`}`,
  ];
}

export const GrantOutput = z.lazy(() =>
  z.strictObject({
    grant: z.string().describe("Its id, for sec.revoke"),
    principal: z.string(),
    granted_by: z.string(),
    expires_ms: z.number().describe("When it ends, milliseconds since 1970"),
    state: z.string(),
  }),
);

export function grantOutput({ id, principal, granted_by, expires_ms, state }: Grant): z.infer<typeof GrantOutput> {
  return { grant: id, principal, granted_by, expires_ms, state };
}

/** The before-image of a call that makes a grant: that there was none of it. */
export const NoGrant = z.lazy(() => z.strictObject({ call: z.string() }));

/** What taking back such a call is. */
export function undoGrant({ stores }: PermissionPorts, call: string, { clock }: Pick<Context, "clock">): void {
  const made = stores.grants.byCall(call);
  if (made !== null) stores.grants.revoke(made.id, clock.now_ms());
}

/** @throws {ToolError} */
export function verifyGrantUndone({ stores }: PermissionPorts, call: string): void {
  const made = stores.grants.byCall(call);
  if (made !== null && made.revoked_ms === null) throw new ToolError(`taking back "${made.id}" failed: it is still in force`);
}

/** @throws {ToolError} */
export function verifyGrant({ stores }: PermissionPorts, id: string): void {
  const state = stores.grants.get(id)?.state;
  if (state !== "active") throw new ToolError(`verifying "${id}" failed: it is ${state ?? "not there"}`);
}
