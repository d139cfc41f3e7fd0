/** The routes behind which the broker is: tools, calls, undo, audit, approvals, permission. */

import { z } from "zod";
import { AuditEntry, AuditQuery, AuditVerdict } from "./audit.ts";
import { CallRecord, UndoPlan, UndoTarget } from "./broker.ts";
import { Count, Flag, none, route, Whole } from "./console-route.ts";
import { Agent, Approval, Grant, PolicyInfo } from "./permission.ts";
import { CallId, CallMeta, CallOutcome, CallResult, Reason, ToolDescription, ToolName } from "./tool.ts";

/** Bytes of the body of a call: what still fits into a frame to the broker, with its reason. */
export const call_bytes_max = 192 * 1024;
/** Entries that one export gives at most. */
const export_max = 5_000_000;

/** What one hears of a call: pieces of what its program writes, and then how it ended. */
export const CallNews = z.union([
  z.strictObject({ stream: z.enum(["stdout", "stderr"]), text: z.string() }),
  z.strictObject({ outcome: CallOutcome }),
]);
export type CallNews = z.infer<typeof CallNews>;

const { kind, tool, principal, call, group, event, status, resource, text } = AuditQuery.shape;
const WaitMs = z
  .string()
  .regex(/^\d{1,6}$/, "a whole number")
  .default("0")
  .transform(Number)
  .pipe(z.int().max(600_000));

export const broker_routes = {
  tools: route({
    method: "GET",
    path: "/v1/tools",
    summary: "All tools, in the Model Context Protocol's shape",
    path_params: none,
    query: none,
    body: null,
    response: z.array(ToolDescription),
    stream: false,
  }),
  tool: route({
    method: "GET",
    path: "/v1/tools/{name}",
    summary: "One tool with its schemas",
    path_params: z.strictObject({ name: ToolName }),
    query: none,
    body: null,
    response: ToolDescription,
    stream: false,
  }),
  call_make: route({
    method: "POST",
    path: "/v1/calls",
    summary: "Call a tool; the answer says how it ended, or that it waits for a person",
    path_params: none,
    query: none,
    body: z.strictObject({ name: z.string().max(64), arguments: z.record(z.string(), z.unknown()).default({}), _meta: CallMeta }),
    body_bytes_max: call_bytes_max,
    response: CallResult,
    stream: false,
  }),
  call: route({
    method: "GET",
    path: "/v1/calls/{id}",
    summary: "Everything known of one call; with `wait_ms`, waiting for its end",
    path_params: z.strictObject({ id: CallId }),
    query: z.strictObject({ wait_ms: WaitMs }),
    body: null,
    response: CallRecord,
    stream: false,
  }),
  call_cancel: route({
    method: "POST",
    path: "/v1/calls/{id}/cancel",
    summary: "End a call that runs or waits",
    path_params: z.strictObject({ id: CallId }),
    query: none,
    body: z.strictObject({ reason: z.string().min(1).max(500) }),
    response: CallOutcome,
    stream: false,
  }),
  call_confirm: route({
    method: "POST",
    path: "/v1/calls/{id}/confirm",
    summary: "Keep a call that would otherwise be taken back (confirm_by_ms)",
    path_params: z.strictObject({ id: CallId }),
    query: none,
    body: z.strictObject({}),
    response: z.strictObject({ confirmed: z.literal(true) }),
    stream: false,
  }),
  call_follow: route({
    method: "GET",
    path: "/v1/calls/{id}/output",
    summary: "What the program of a call writes, from the start, until it ends",
    path_params: z.strictObject({ id: CallId }),
    query: none,
    body: null,
    response: CallNews,
    stream: true,
  }),
  undo_plan: route({
    method: "POST",
    path: "/v1/undo/plan",
    summary: "What taking back would do, and what stands against it",
    path_params: none,
    query: none,
    body: z.strictObject({ target: UndoTarget }),
    response: UndoPlan,
    stream: false,
  }),
  undo: route({
    method: "POST",
    path: "/v1/undo",
    summary: "Take back a call, a group, or everything since a time, newest first",
    path_params: none,
    query: none,
    body: z.strictObject({ target: UndoTarget, reason: Reason }),
    response: z.strictObject({ outcomes: z.array(CallOutcome), plan: UndoPlan }),
    stream: false,
  }),
  audit: route({
    method: "GET",
    path: "/v1/audit",
    summary: "Entries of the audit, newest first",
    path_params: none,
    query: z.strictObject({
      ...{ kind, tool, principal, call, group, event, status, resource, text },
      lines: Count(100, export_max),
      before_seq: Whole,
      since_ms: Whole,
      until_ms: Whole,
    }),
    body: null,
    response: AuditEntry,
    stream: true,
  }),
  audit_verify: route({
    method: "GET",
    path: "/v1/audit/verify",
    summary: "Read the whole chain and say whether any entry was changed, moved or is missing",
    path_params: none,
    query: none,
    body: null,
    response: AuditVerdict,
    stream: false,
  }),
  approvals: route({
    method: "GET",
    path: "/v1/approvals",
    summary: "Calls that wait for a person; with `all` also those that were decided",
    path_params: none,
    query: z.strictObject({ all: Flag }),
    body: null,
    response: z.array(Approval),
    stream: false,
  }),
  approval_decide: route({
    method: "POST",
    path: "/v1/approvals/{id}",
    summary: "Approve or decline one call that waits; approved, it is made now and the answer says how it ended",
    path_params: z.strictObject({ id: CallId }),
    query: none,
    body: z.strictObject({ approve: z.boolean(), reason: z.string().min(1).max(2000) }),
    response: CallResult,
    stream: false,
  }),
  grants: route({
    method: "GET",
    path: "/v1/grants",
    summary: "Grants and agents; with `all` also those that ended",
    path_params: none,
    query: z.strictObject({ all: Flag }),
    body: null,
    response: z.strictObject({ grants: z.array(Grant), agents: z.array(Agent) }),
    stream: false,
  }),
  policies: route({
    method: "GET",
    path: "/v1/policies",
    summary: "The policies by which calls are allowed or refused",
    path_params: none,
    query: none,
    body: null,
    response: z.array(PolicyInfo),
    stream: false,
  }),
} as const;

/** Where the console speaks the Model Context Protocol. */
export const mcp_path = "/mcp";

/** What an MCP client may say with a call in its `_meta`, beside what the protocol itself puts there. */
export const McpCallMeta = z.lazy(() =>
  z.object({
    /** Why, in words or as the whole reason; without it the record says who asked over MCP. */
    "aios/reason": z.union([z.string().min(1).max(2000), Reason]).optional(),
    "aios/group": CallMeta.shape.group.optional(),
    "aios/tainted": CallMeta.shape.tainted.optional(),
    "aios/dry_run": CallMeta.shape.dry_run.optional(),
    "aios/key": CallMeta.shape.key.optional(),
  }),
);
export type McpCallMeta = z.infer<typeof McpCallMeta>;

/** What the protocol puts into `_meta` of each request (2026-07-28), as far as it is looked at here. */
export const McpEnvelope = z.lazy(() =>
  z.object({
    "io.modelcontextprotocol/clientInfo": z.object({ name: z.string(), version: z.string() }).optional(),
    "io.modelcontextprotocol/clientCapabilities": z.object({ elicitation: z.object({}).optional() }).optional(),
  }),
);

/** What the person behind an MCP client answers when a call waits for approval. */
export const McpDecision = z.lazy(() => z.object({ approve: z.boolean(), reason: z.string().max(2000).optional() }));
/** What goes to the client and comes back, signed, with that question. */
export const McpWaiting = z.lazy(() => z.strictObject({ call: CallId }));
export type McpWaiting = z.infer<typeof McpWaiting>;
