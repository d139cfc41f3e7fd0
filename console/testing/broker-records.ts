/** Tools, calls and permission for tests. */

import type { AuditEntry } from "../../contracts/audit.ts";
import type { UndoPlan } from "../../contracts/broker.ts";
import type { Agent, Approval, Grant, PolicyInfo } from "../../contracts/permission.ts";
import type { CallOutcome, CallResult, Reason, ToolDescription } from "../../contracts/tool.ts";
import { start_time_ms } from "./records.ts";

export const call_id = "0badcafe-call-17";
export const waiting_id = "0badcafe-call-18";

const object = (properties: Record<string, unknown>, required: string[]) => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

export const tools: readonly ToolDescription[] = [
  {
    name: "fs.read",
    title: "Read a file",
    description: "The content of one file, or a piece of it.",
    inputSchema: object({ path: { type: "string", description: "What to read" } }, ["path"]),
    outputSchema: object({ content: { type: "string" } }, ["content"]),
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    _meta: { risk: "observe", family: "fs", timeout_ms: 10_000, undoable: false },
  },
  {
    name: "fs.write",
    title: "Write a file",
    description: "Replaces the content of one file, all at once.",
    inputSchema: object({ path: { type: "string", description: "Where" }, text: { type: "string", description: "What" } }, [
      "path",
      "text",
    ]),
    outputSchema: object({ bytes: { type: "integer" } }, ["bytes"]),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    _meta: { risk: "reversible", family: "fs", timeout_ms: 10_000, undoable: true },
  },
  {
    name: "sys.power",
    title: "Reboot or power off",
    description: "Stops everything in order, then reboots or powers off.",
    inputSchema: object({ action: { type: "string", enum: ["reboot", "poweroff"], description: "Which" } }, ["action"]),
    outputSchema: object({ accepted: { type: "boolean" } }, ["accepted"]),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    _meta: { risk: "irreversible", family: "sys", timeout_ms: 10_000, undoable: false },
  },
];

export const reason: Reason = {
  text: "the page was wrong",
  event: "0badcafe-init-3",
  decision: null,
  alternatives: ["leave it"],
  confidence: 0.8,
  model: null,
  cost_usd: 0,
};

export const outcome: CallOutcome = {
  call: call_id,
  tool: "fs.write",
  principal: "person:operator",
  status: "done",
  text: "fs.write: done",
  tainted: false,
  policies: ["admins"],
  undo: "possible",
  confirm_by_ms: null,
  took_ms: 4.25,
};

export const result: CallResult = { structuredContent: { bytes: 5 }, isError: false, _meta: outcome };

export const waiting: CallResult = {
  structuredContent: null,
  isError: true,
  _meta: { ...outcome, call: waiting_id, tool: "sys.power", status: "waiting", text: "sys.power waits for a person", undo: "none" },
};

const resource = { kind: "path", id: "/srv/www/index.html", access: "write", attributes: {} } as const;

function entry(seq: number, kind: AuditEntry["kind"], more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    ...{ seq, kind, time_ms: start_time_ms + seq * 1000, boot: "0badcafe", boot_ms: 4000 + seq * 1000 },
    ...{ call: call_id, principal: "person:operator", tool: "fs.write", group: null, event: reason.event, status: null },
    ...{ resources: [resource], reason, body: {}, previous: String(seq - 1).padStart(64, "0"), hash: String(seq).padStart(64, "0") },
    ...more,
  };
}

export const entries: readonly AuditEntry[] = [
  entry(1, "start", { call: null, tool: null, principal: "system", event: null, resources: [], reason: null, body: { version: "0.1.0" } }),
  entry(2, "intent", { body: { arguments: { path: "/srv/www/index.html", text: "hello" } } }),
  entry(3, "image", { body: { image: { kept: null } } }),
  entry(4, "outcome", { status: "done", body: { text: "fs.write: done", took_ms: 4.25, policies: ["admins"], output: { bytes: 5 } } }),
];

export const approval: Approval = {
  call: waiting_id,
  principal: "tier:strategic",
  tool: "sys.power",
  risk: "irreversible",
  arguments: { action: "reboot" },
  reason: { ...reason, text: "the new kernel needs it" },
  resources: [{ kind: "system", id: "power", access: "execute", attributes: {} }],
  tainted: ["/action"],
  preview: ["the system reboots"],
  final: ["what is not written is lost"],
  asked_ms: start_time_ms,
  deadline_ms: start_time_ms + 3_600_000,
  state: "waiting",
  decided_by: null,
  decided_ms: null,
  decided_why: null,
  review: {
    ...{ verdict: "unsure", reason: "no package was changed today: look at who asked for a reboot", model: "claude-test" },
    ...{ tokens: 4711, usd: 0.02, heard_outside: true },
  },
};

export const grant: Grant = {
  id: "grant-3",
  principal: "tier:tactical",
  scope: { tools: ["fs.*"], resources: [{ kind: "path", id: "/srv/www" }], risk: "reversible", calls_max: 10 },
  reason: "it looks after the web pages",
  granted_by: "person:operator",
  created_ms: start_time_ms,
  expires_ms: start_time_ms + 86_400_000,
  revoked_ms: null,
  calls_used: 2,
  state: "active",
};

export const agent: Agent = {
  name: "web-setup",
  task: "set the web server up",
  owner: "tier:tactical",
  created_ms: start_time_ms,
  expires_ms: start_time_ms + 3_600_000,
  ended_ms: null,
};

export const policy: PolicyInfo = {
  name: "admins",
  effect: "permit",
  reason: "an admin may do everything",
  source: "image",
  text: 'permit (principal in Role::"admin", action, resource);',
};

export const plan: UndoPlan = { calls: [{ call: call_id, tool: "fs.write", what: "fs.write /srv/www/index.html" }], obstacles: [] };
