/** The audit's own entries about itself: a chain that lost its end or its file says so in the chain that goes on. */

import type { NewEntry } from "./audit.ts";
import type { Head } from "./chain.ts";

export interface Loss {
  /** In words: what is missing and what became of it. */
  readonly what: string;
  /** The newest entry that is known to have been there. */
  readonly known: Head | null;
}

const member = "audit_lost";

export function lossEntry({ what, known }: Loss): NewEntry {
  return selfEntry({ [member]: what, known_seq: known?.seq ?? null, known_head: known?.hash ?? null });
}

/** For a time nothing could be written. */
export interface Outage {
  readonly what: string;
  readonly from_ms: number;
}

/** @param notes_lost calls that changed nothing and of which there is no entry */
export function outageEntry({ what, from_ms }: Outage, notes_lost: number): NewEntry {
  return selfEntry({ audit_outage: what, from_ms, notes_lost });
}

/** @returns what an entry says was lost, or null */
export function lossOf(body: Readonly<Record<string, unknown>>): string | null {
  const what = body[member];
  return typeof what === "string" ? what : null;
}

function selfEntry(body: Readonly<Record<string, unknown>>): NewEntry {
  const none = { call: null, tool: null, group: null, event: null, status: null, resources: [], reason: null };
  return { kind: "start", principal: "system", ...none, body };
}
