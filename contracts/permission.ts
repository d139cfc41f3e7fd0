/** Permission: grants with a scope, a reason and an end; approvals by people; agents with a lease. */

import { z } from "zod";
import { AgentName, CallId, Principal, Reason, Resource, Risk, ToolName } from "./tool.ts";

export const GrantId = z.string().regex(/^grant-[0-9]{1,12}$/);

/** Tools by name, or a family: `fs.*`. */
export const ToolPattern = z.union([ToolName, z.string().regex(/^[a-z]{2,12}\.\*$/, "a tool's name, or a family like fs.*")]);

/** What a grant reaches. Everything named has to fit. */
export const Scope = z.lazy(() =>
  z.strictObject({
    tools: z.array(ToolPattern).min(1).max(64),
    /**
     * Resources that it reaches: one of them by name, all below a path (`/srv/www` and what is in it), or all of a kind
     * (`*`).
     */
    resources: z
      .array(z.strictObject({ kind: Resource.shape.kind, id: z.string().min(1).max(4200) }))
      .min(1)
      .max(64),
    /** The highest risk that it allows without a person. */
    risk: Risk.default("reversible"),
    /** Calls that it is good for; null: any number until it ends. */
    calls_max: z.int().min(1).max(1_000_000).nullable().default(null),
  }),
);
export type Scope = z.infer<typeof Scope>;

export const Grant = z.lazy(() =>
  z.strictObject({
    id: GrantId,
    principal: Principal,
    scope: Scope,
    reason: z.string().min(1).max(2000),
    granted_by: Principal,
    created_ms: z.number(),
    expires_ms: z.number(),
    revoked_ms: z.number().nullable(),
    calls_used: z.int(),
    state: z.enum(["active", "expired", "revoked", "used-up"]),
  }),
);
export type Grant = z.infer<typeof Grant>;

/** An agent made for a task, whose life ends with its lease. */
export const Agent = z.lazy(() =>
  z.strictObject({
    name: AgentName,
    task: z.string().min(1).max(500),
    /** Who made it and may call in its name. */
    owner: Principal,
    created_ms: z.number(),
    expires_ms: z.number(),
    ended_ms: z.number().nullable(),
  }),
);
export type Agent = z.infer<typeof Agent>;

/** What the strategic tier thinks of a call that waits: for the person to read, never a decision. */
export const Opinion = z.lazy(() =>
  z.strictObject({
    /** `none`: it could not be looked into, and `reason` says why. */
    verdict: z.enum(["approve", "reject", "unsure", "none"]),
    reason: z.string().min(1).max(1000),
    model: z.string().max(200).nullable(),
    tokens: z.int().min(0),
    usd: z.number().min(0),
    /** Whoever thought it had read text from outside: it may have been talked into it. */
    heard_outside: z.boolean(),
  }),
);
export type Opinion = z.infer<typeof Opinion>;

/** No model could be asked: one that is asked later may still say something. */
export function isUnasked({ verdict, model }: Opinion): boolean {
  return verdict === "none" && model === null;
}

/** A call that waits for a person. */
export const Approval = z.lazy(() =>
  z.strictObject({
    call: CallId,
    principal: Principal,
    tool: ToolName,
    risk: Risk,
    /** Redacted. */
    arguments: z.record(z.string(), z.unknown()),
    reason: Reason,
    resources: z.array(Resource),
    tainted: z.array(z.string()),
    /** What will change, line by line. */
    preview: z.array(z.string()),
    /** What of it cannot be taken back. */
    final: z.array(z.string()),
    asked_ms: z.number(),
    /** When nobody has said anything by then, the answer is no. */
    deadline_ms: z.number(),
    state: z.enum(["waiting", "approved", "declined", "expired", "withdrawn"]),
    decided_by: Principal.nullable(),
    decided_ms: z.number().nullable(),
    decided_why: z.string().nullable(),
    /** Null: nobody has looked at it yet, or it is not of those that are looked at (tools/call/review.ts). */
    review: Opinion.nullable().default(null),
  }),
);
export type Approval = z.infer<typeof Approval>;

/** A policy as it is listed. */
export const PolicyInfo = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    effect: z.enum(["permit", "forbid"]),
    reason: z.string(),
    /** From the image, or made of a grant. */
    source: z.enum(["image", "grant"]),
    text: z.string(),
  }),
);
export type PolicyInfo = z.infer<typeof PolicyInfo>;
