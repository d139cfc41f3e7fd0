/** What the broker answers on `/run/aios/broker/<caller>/sock`: tools in the Model Context Protocol's own shapes, and the record. */

import { z } from "zod";
import { AuditEntry, AuditQuery, AuditVerdict } from "./audit.ts";
import { Agent, Approval, Grant, Opinion, PolicyInfo } from "./permission.ts";
import { type Methods, method, Nothing } from "./rpc.ts";
import { CallId, CallMeta, CallOutcome, CallResult, GroupName, PersonName, Reason, Role, ToolDescription, ToolName } from "./tool.ts";

export const broker_callers = ["reactive", "operational", "tactical", "strategic", "console"] as const;
export type BrokerCaller = (typeof broker_callers)[number];

/** On whose behalf the console calls. Only the console may say so: every other caller is who its socket says. */
export const OnBehalf = z.lazy(() => z.strictObject({ name: PersonName, role: Role }));
export type OnBehalf = z.infer<typeof OnBehalf>;
const person = OnBehalf.optional();

/** What to take back: one call, all calls of a group, or everything since a time. Newest first. */
export const UndoTarget = z.union([
  z.strictObject({ call: CallId }),
  z.strictObject({ group: GroupName }),
  z.strictObject({ since_ms: z.int().min(0) }),
]);
export type UndoTarget = z.infer<typeof UndoTarget>;

export const UndoPlan = z.lazy(() =>
  z.strictObject({
    /** Calls in the order in which they are taken back. */
    calls: z.array(z.strictObject({ call: CallId, tool: z.string(), what: z.string() })),
    /** Why it cannot be done, call by call (null: of none in particular); empty when it can. */
    obstacles: z.array(z.strictObject({ call: CallId.nullable(), why: z.string() })),
  }),
);
export type UndoPlan = z.infer<typeof UndoPlan>;

/** Everything known of one call. */
export const CallRecord = z.lazy(() =>
  z.strictObject({ outcome: CallOutcome.nullable(), entries: z.array(AuditEntry), approval: Approval.nullable() }),
);

export const broker_methods = {
  /** A page of the catalogue, by name. */
  "tools/list": method(() => ({
    params: z.strictObject({ cursor: z.string().max(64).nullable().default(null), limit: z.int().min(1).max(25).default(25) }),
    result: z.strictObject({ tools: z.array(ToolDescription), nextCursor: z.string().nullable(), total: z.int() }),
  })),
  "tools/get": method(() => ({ params: z.strictObject({ name: ToolName }), result: ToolDescription })),
  "tools/call": method(() => ({
    params: z.strictObject({ name: z.string().max(64), arguments: z.record(z.string(), z.unknown()), _meta: CallMeta, person }),
    result: CallResult,
  })),
  /** The state of a call of one's own (the console: of any), waiting until it has ended or `wait_ms` are over. */
  "calls/get": method(() => ({
    params: z.strictObject({ call: CallId, wait_ms: z.int().min(0).max(600_000).default(0), person }),
    result: CallRecord,
  })),
  /** Ends a call of one's own (the console: of any) that runs or waits. */
  "calls/cancel": method(() => ({
    params: z.strictObject({ call: CallId, reason: z.string().min(1).max(500), person }),
    result: CallOutcome,
  })),
  /** Keeps a call that would otherwise be taken back (`confirm_by_ms`). */
  "calls/confirm": method(() => ({
    params: z.strictObject({ call: CallId, person }),
    result: z.strictObject({ confirmed: z.literal(true) }),
  })),
  /** From then on `call.output` notifications of that call; first what is held. */
  "calls/follow": method(() => ({ params: z.strictObject({ call: CallId, person }), result: Nothing })),
  "undo/plan": method(() => ({ params: z.strictObject({ target: UndoTarget, person }), result: UndoPlan })),
  /** An audited call by itself, one per call taken back; answers with their outcomes. */
  "undo/run": method(() => ({
    params: z.strictObject({ target: UndoTarget, reason: Reason, person }),
    result: z.strictObject({ outcomes: z.array(CallOutcome), plan: UndoPlan }),
  })),
  "audit/query": method(() => ({
    params: z.strictObject({ query: AuditQuery, person }),
    result: z.strictObject({ entries: z.array(AuditEntry) }),
  })),
  "audit/verify": method(() => ({ params: z.strictObject({ person }), result: AuditVerdict })),
  "approvals/list": method(() => ({
    params: z.strictObject({ all: z.boolean().default(false), person }),
    result: z.strictObject({ approvals: z.array(Approval) }),
  })),
  "approvals/decide": method(() => ({
    params: z.strictObject({ call: CallId, approve: z.boolean(), reason: z.string().min(1).max(2000), person }),
    result: CallResult,
  })),
  /** Calls of tiers that wait for a person and could do harm, of which nobody has thought yet; oldest first. */
  "reviews/pending": method(() => ({ params: Nothing, result: z.strictObject({ approvals: z.array(Approval) }) })),
  /** Kept with the approval, once; it decides nothing. */
  "reviews/give": method(() => ({ params: z.strictObject({ call: CallId, opinion: Opinion }), result: Approval })),
  "grants/list": method(() => ({
    params: z.strictObject({ all: z.boolean().default(false), person }),
    result: z.strictObject({ grants: z.array(Grant), agents: z.array(Agent) }),
  })),
  "policies/list": method(() => ({ params: z.strictObject({ person }), result: z.strictObject({ policies: z.array(PolicyInfo) }) })),
} as const satisfies Methods;
export type BrokerMethod = keyof typeof broker_methods;

export const broker_notifications = {
  /** A piece of what a call's program writes. */
  "call.output": z.strictObject({ call: CallId, stream: z.enum(["stdout", "stderr"]), text: z.string().max(65_536) }),
  "call.ended": z.strictObject({ outcome: CallOutcome }),
} as const;

const everyday: readonly BrokerMethod[] = [
  "tools/list",
  "tools/get",
  "tools/call",
  "calls/get",
  "calls/cancel",
  "calls/confirm",
  "calls/follow",
  "undo/plan",
  "undo/run",
  "audit/query",
];

/** Which methods each caller may use. What a call of them may then do is the policies' matter. */
export const broker_permissions: Readonly<Record<BrokerCaller, readonly BrokerMethod[]>> = {
  reactive: everyday,
  operational: everyday,
  tactical: everyday,
  strategic: [...everyday, "reviews/pending", "reviews/give"],
  console: (Object.keys(broker_methods) as BrokerMethod[]).filter((method) => !method.startsWith("reviews/")),
};
