/** A call as the audit remembers it: enough to take it back, or to make it again. */

import type { AuditEntry } from "../../contracts/audit.ts";
import type { Resource } from "../../contracts/tool.ts";
import type { Audit } from "../audit/audit.ts";
import { changed, overlaps } from "../call/locks.ts";

export interface PastCall {
  readonly call: string;
  readonly tool: string;
  readonly principal: AuditEntry["principal"];
  readonly group: string | null;
  readonly time_ms: number;
  /** Place of its intent in the audit: what comes later may depend on it. */
  readonly seq: number;
  readonly resources: readonly Resource[];
  readonly arguments: unknown;
  /** The call that it took back. */
  readonly undoes: string | null;
  readonly image: AuditEntry | null;
  readonly outcome: AuditEntry | null;
}

/** Calls with an intent among these entries of the audit. */
export function pastCalls(entries: Iterable<AuditEntry>): PastCall[] {
  const parts = new Map<string, { intent?: AuditEntry; image?: AuditEntry; outcome?: AuditEntry }>();
  for (const entry of entries) {
    if (entry.call === null || (entry.kind !== "intent" && entry.kind !== "image" && entry.kind !== "outcome")) continue;
    parts.set(entry.call, { ...parts.get(entry.call), [entry.kind]: entry });
  }
  return [...parts.values()].flatMap(({ intent, image, outcome }) => {
    if (intent?.call == null || intent.tool === null) return [];
    const undoes = intent.body["undoes"];
    return {
      call: intent.call,
      tool: intent.tool,
      principal: intent.principal,
      group: intent.group,
      time_ms: intent.time_ms,
      seq: intent.seq,
      resources: intent.resources,
      arguments: intent.body["arguments"],
      undoes: typeof undoes === "string" ? undoes : null,
      image: image ?? null,
      outcome: outcome ?? null,
    };
  });
}

/** Reads the audit from the newest entry back to `from_seq` or `from_ms`, whichever is given. Newest first. */
export function* entriesSince(audit: Audit, from: { readonly seq: number } | { readonly time_ms: number }): Generator<AuditEntry> {
  const page = 500;
  for (let before: number | null = null; ; ) {
    const entries: AuditEntry[] = audit.query({ ...everything, before_seq: before, limit: page });
    for (const entry of entries) {
      if ("seq" in from ? entry.seq < from.seq : entry.time_ms < from.time_ms) return;
      yield entry;
    }
    const last = entries.at(-1);
    if (last === undefined) return; // a page may be shorter than asked for: answers are bounded by size
    before = last.seq;
  }
}

const everything = {
  since_ms: null,
  until_ms: null,
  kind: null,
  tool: null,
  principal: null,
  call: null,
  group: null,
  event: null,
  status: null,
  resource: null,
  text: null,
} as const;

/** Whether the later call changes something that the earlier one changed. */
export function dependsOn(later: PastCall, earlier: PastCall): boolean {
  const before = changed(earlier.resources);
  return changed(later.resources).some((one) => before.some((other) => overlaps(one, other)));
}
