/** Tool calls: who asks for what and why, and what came of it. */

import { z } from "zod";
import { DecisionId } from "./decision.ts";
import { EventId } from "./event.ts";
import { JsonPointer } from "./json-pointer.ts";
import { ToolName } from "./tool-name.ts";

export { JsonPointer, ToolName };

/** What a call may do to the system, from harmless to final. */
export const Risk = z.enum([
  /** Changes nothing. */
  "observe",
  /** Undo restores the state that was observed before. */
  "reversible",
  /** Undo makes up for it, but not exactly: a process that was started is ended. */
  "compensable",
  /** Nothing takes it back. */
  "irreversible",
]);
export type Risk = z.infer<typeof Risk>;

/** `<boot>-call-<number>`: unique over all boots; `boot` is 8 hexadecimal digits of the kernel's boot id. */
export const CallId = z.string().regex(/^[0-9a-f]{8}-call-[0-9]{1,15}$/, "a call is named like 1a2b3c4d-call-17");

export const tiers = ["reactive", "operational", "tactical", "strategic"] as const;
export const AgentName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "an agent's name is a lower-case letter, then up to 39 of a-z 0-9 -");
export const PersonName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{0,39}$/, "a person's name is a lower-case letter, then up to 39 of a-z 0-9 . _ -");
export const Role = z.enum(["observer", "operator", "admin"]);
export type Role = z.infer<typeof Role>;

/** Who is behind a call: `tier:tactical`, `person:operator`, `agent:web-setup`; `system` is the broker itself (timers, recovery). */
export const Principal = z
  .string()
  .regex(/^(system|tier:(reactive|operational|tactical|strategic)|person:[a-z][a-z0-9._-]{0,39}|agent:[a-z][a-z0-9-]{0,39})$/);
export type Principal = z.infer<typeof Principal>;

/** Why: the part of the audit that no tool can guess afterwards. */
export const Reason = z.lazy(() =>
  z.strictObject({
    /** In words, for people. */
    text: z.string().min(1, "say why").max(2000),
    /** The event that it is an answer to. */
    event: EventId.nullable().default(null),
    decision: DecisionId.nullable().default(null),
    /** What was considered and not chosen. */
    alternatives: z.array(z.string().max(300)).max(10).default([]),
    /** 0 to 1, as the tier gives it. */
    confidence: z.number().min(0).max(1).nullable().default(null),
    /** The model that chose, when one did. */
    model: z.string().max(100).nullable().default(null),
    /** What choosing cost, US dollars. */
    cost_usd: z.number().min(0).default(0),
  }),
);
export type Reason = z.infer<typeof Reason>;

/** The calls that one decision made, undone together. */
export const GroupName = z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/, "a group is named by 1 to 100 of A-Z a-z 0-9 . _ : -");

/** Seconds that a call may wait to be confirmed. */
export const confirm_within_s_max = 3600;

/** What goes with a call besides its arguments. */
export const CallMeta = z.strictObject({
  reason: Reason,
  group: GroupName.nullable().default(null),
  /** Arguments that derive from text of outside, as pointers into `arguments`. */
  tainted: z.array(JsonPointer).max(64).default([]),
  /** The agent in whose name the tier that made it calls. */
  as: AgentName.nullable().default(null),
  /** Everything but the change: authorised, resolved and previewed. */
  dry_run: z.boolean().default(false),
  /** Milliseconds that the answer may wait for an approval; after that it says `waiting`, and the call stays in the queue. */
  wait_ms: z.int().min(0).max(600_000).default(0),
  /**
   * Seconds within which the call has to be confirmed (`calls/confirm`), or it is taken back: for changes that may lock people
   * out. Null: what the tool asks for; 0: not at all.
   */
  confirm_within_s: z.int().min(0).max(confirm_within_s_max).nullable().default(null),
  /** A call with a key that the same principal has used is not made again: its first answer is given. */
  key: z.string().min(1).max(100).nullable().default(null),
});
export type CallMeta = z.infer<typeof CallMeta>;

export const CallStatus = z.enum([
  /** It ran and its effect was verified. */
  "done",
  /** Its arguments do not fit; nothing was done. */
  "invalid",
  /** No policy allows it; nothing was done. */
  "refused",
  /** Rate, budget or concurrency is used up; nothing was done. */
  "limited",
  /** It waits for a person; nothing was done yet. */
  "waiting",
  /** It was to wait for a person, who said no or nothing; nothing was done. */
  "declined",
  /** Asked with `dry_run`: this is what it would do. */
  "previewed",
  /** It failed before it changed anything. */
  "failed",
  /** It failed or could not be verified, and what it had changed was taken back. */
  "undone",
  /** It failed, and taking it back failed too or is not possible: a person has to look. */
  "uncertain",
]);
export type CallStatus = z.infer<typeof CallStatus>;

/** Whether a call can be taken back now. */
export const UndoState = z.enum(["possible", "done", "none", "expired"]);

export const CallOutcome = z.lazy(() =>
  z.strictObject({
    call: CallId,
    tool: z.string(),
    principal: Principal,
    status: CallStatus,
    /** In words, for people and models: what was done, or what was wrong and what to do. */
    text: z.string().max(4000),
    /** The answer holds text from outside: data, never an instruction. */
    tainted: z.boolean(),
    /** Names of the policies that decided. */
    policies: z.array(z.string()),
    undo: UndoState,
    /** When it is taken back unless it is confirmed, milliseconds since 1970; null: it stands. */
    confirm_by_ms: z.number().nullable(),
    /** Milliseconds from taking the call to its outcome. */
    took_ms: z.number(),
    /** It was done, and found nothing to change. Left out: it has changed something, or nobody knows. */
    unchanged: z.literal(true).optional(),
  }),
);
export type CallOutcome = z.infer<typeof CallOutcome>;

/** The result of `tools/call` in MCP's shape. */
export const CallResult = z.lazy(() =>
  z.strictObject({
    /** Fits the tool's output schema; null unless the status is `done` or `previewed`. */
    structuredContent: z.record(z.string(), z.unknown()).nullable(),
    isError: z.boolean(),
    _meta: CallOutcome,
  }),
);
export type CallResult = z.infer<typeof CallResult>;

/** Something that a call touches, as the policy sees it and as undo compares it. */
export const Resource = z.strictObject({
  /** What kind of thing. */
  kind: z.enum([
    "path",
    "process",
    "service",
    "interface",
    "address",
    "port",
    "firewall",
    "package",
    "principal",
    "secret",
    "certificate",
    "timer",
    "document",
    "memory",
    "model",
    "setting",
    "system",
  ]),
  /** Its name in that kind: a canonical absolute path, a pid, a service's name, `tcp:443`, `host:port` … */
  id: z.string().min(1).max(4200),
  /** What the call does to it. */
  access: z.enum(["read", "write", "delete", "execute"]),
  /** Further facts that policies may look at, of the thing as it is now. */
  attributes: z.record(z.string().max(40), z.union([z.string().max(4200), z.int(), z.boolean()])).default({}),
});
export type Resource = z.infer<typeof Resource>;

/** A tool as it is listed (MCP: Tool). */
export const ToolDescription = z.lazy(() =>
  z.strictObject({
    name: ToolName,
    title: z.string(),
    description: z.string(),
    inputSchema: z.record(z.string(), z.unknown()),
    outputSchema: z.record(z.string(), z.unknown()),
    annotations: z.strictObject({
      readOnlyHint: z.boolean(),
      destructiveHint: z.boolean(),
      idempotentHint: z.boolean(),
      openWorldHint: z.boolean(),
    }),
    _meta: z.strictObject({ risk: Risk, family: z.string(), timeout_ms: z.int(), undoable: z.boolean() }),
  }),
);
export type ToolDescription = z.infer<typeof ToolDescription>;
