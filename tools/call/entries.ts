/** What of a call is written into the audit, and how it is answered. */

import { createHash } from "node:crypto";
import type { Approval } from "../../contracts/permission.ts";
import type { CallOutcome, CallResult, CallStatus, Principal, Resource } from "../../contracts/tool.ts";
import type { NewEntry } from "../audit/audit.ts";
import { ToolError } from "../tool.ts";
import type { Request } from "./request.ts";

/** Bytes of an answer that are written into the audit; of a longer one its length is. */
const written_output_bytes_max = 65_536;

/** Whose call of what, and why. */
export type Who = Pick<Request, "principal" | "tool" | "meta">;

/** The members that all entries of a call share. */
export function entryOf(request: Who, call: string, resources: readonly Resource[]): Omit<NewEntry, "kind" | "body"> {
  return {
    call,
    principal: request.principal,
    tool: request.tool,
    group: request.meta.group ?? request.meta.reason.decision,
    event: request.meta.reason.event,
    status: null,
    resources: [...resources],
    reason: request.meta.reason,
  };
}

export function outcomeEntry(request: Who, outcome: CallOutcome, resources: readonly Resource[], body: Record<string, unknown>): NewEntry {
  return { ...entryOf(request, outcome.call, resources), kind: "outcome", status: outcome.status, body };
}

export function approvalEntry(request: Who, approval: Approval, resources: readonly Resource[]): NewEntry {
  return {
    ...entryOf(request, approval.call, resources),
    kind: "approval",
    status: approval.state === "waiting" ? "waiting" : null,
    body: {
      state: approval.state,
      arguments: approval.arguments,
      preview: approval.preview,
      final: approval.final,
      deadline_ms: approval.deadline_ms,
      by: approval.decided_by,
      why: approval.decided_why,
      ...(approval.review === null ? {} : { review: approval.review }),
    },
  };
}

export function outputBody(output: unknown, observed: boolean): Record<string, unknown> {
  const bytes = Buffer.byteLength(JSON.stringify(output) ?? "");
  return observed || bytes > written_output_bytes_max ? { output_bytes: bytes } : { output };
}

export function outcomeOf(
  call: string,
  tool: string,
  principal: Principal,
  status: CallStatus,
  text: string,
  took_ms: number,
): CallOutcome {
  return {
    call,
    tool,
    principal,
    status,
    text: text.slice(0, 4000),
    tainted: false,
    policies: [],
    undo: "none",
    confirm_by_ms: null,
    took_ms,
  };
}

export function failure(outcome: CallOutcome): CallResult {
  return { structuredContent: null, isError: true, _meta: outcome };
}

export function notWaiting(call: string, state: string): ToolError {
  return new ToolError(`deciding on "${call}" failed: it is ${state} already; an approval counts once`);
}

export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
