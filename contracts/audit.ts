/** The audit: every call from its intent to its outcome, as an append-only chain. */

import { z } from "zod";
import { CallId, CallStatus, Principal, Reason, Resource } from "./tool.ts";

export const AuditKind = z.enum([
  /** A call that will change something is about to begin; durable before anything else happens. */
  "intent",
  /** Its before-image is taken; durable before it runs. */
  "image",
  /** How it ended. A call that changes nothing has this entry alone. */
  "outcome",
  /** It was asked of a person; what the person said; or that nobody said anything. */
  "approval",
  /** Permission came or went: grants, revocations, agents and their leases. */
  "permission",
  /** Before-images were given up: those calls cannot be undone any more. */
  "expiry",
  /** A tier's look that was like an earlier one: how often it came again, from when to when. `call` is the first, which has its outcome. */
  "repeats",
  /** The broker began: version, policy set, what it found unfinished. */
  "start",
]);
export type AuditKind = z.infer<typeof AuditKind>;

/** One entry. `hash` is SHA-256 over `previous` and the canonical JSON of all else (RFC 8785). */
export const AuditEntry = z.strictObject({
  seq: z.int().min(1),
  kind: AuditKind,
  /** Wall clock, milliseconds since 1970. */
  time_ms: z.number(),
  /** 8 hexadecimal digits of the boot id, and milliseconds on its monotonic clock. */
  boot: z.string(),
  boot_ms: z.number(),
  call: CallId.nullable(),
  principal: Principal,
  tool: z.string().nullable(),
  group: z.string().nullable(),
  event: z.string().nullable(),
  status: CallStatus.nullable(),
  resources: z.array(Resource),
  reason: Reason.nullable(),
  /** What the kind needs besides; secrets are redacted before they get here. */
  body: z.record(z.string(), z.unknown()),
  previous: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditQuery = z.strictObject({
  /** Entries before this one, newest first; null: from the newest. */
  before_seq: z.int().nullable().default(null),
  limit: z.int().min(1).max(500).default(100),
  since_ms: z.number().nullable().default(null),
  until_ms: z.number().nullable().default(null),
  kind: AuditKind.nullable().default(null),
  /** A name, or the start of one that ends in `*`: `fs.*`. */
  tool: z.string().max(64).nullable().default(null),
  principal: z.string().max(64).nullable().default(null),
  call: CallId.nullable().default(null),
  group: z.string().max(100).nullable().default(null),
  event: z.string().max(100).nullable().default(null),
  status: CallStatus.nullable().default(null),
  /** The id of a resource, or the start of one that ends in `*`. */
  resource: z.string().max(4200).nullable().default(null),
  /** Words that the reason, the arguments or the outcome hold. */
  text: z.string().max(200).nullable().default(null),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditVerdict = z.lazy(() =>
  z.strictObject({
    whole: z.boolean(),
    entries: z.int(),
    /** Hash of the newest entry. */
    head: z.string(),
    /** What is wrong, at which entry; the first hundred. */
    faults: z.array(z.strictObject({ seq: z.int(), what: z.string() })).max(100),
    took_ms: z.number(),
  }),
);
export type AuditVerdict = z.infer<typeof AuditVerdict>;
