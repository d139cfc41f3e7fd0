/** What the audit and the image store have to know of each other: images that were given up, and images that nobody needs. */

import type { Audit, NewEntry } from "../audit/audit.ts";

/** The entry that says that this call cannot be taken back any more. */
export function expiryEntry(call: string, why: string): NewEntry {
  const none = { tool: null, group: null, event: null, status: null, resources: [], reason: null };
  return { kind: "expiry", principal: "system", call, ...none, body: { why } };
}

/** Whether the images of this call have not been given up. Many before-images are in the audit alone and never are. */
export function imagesKept(audit: Pick<Audit, "ofCall">, call: string): boolean {
  return !audit.ofCall(call).some(({ kind }) => kind === "expiry");
}

/**
 * For the store's start: whether the folder of this call is to stay.
 * @param lossy the audit lacks entries that there were: a call that it does not know may have been one, and its images stay
 *   until they are too old
 */
export function imagesWanted(audit: Pick<Audit, "ofCall">, lossy: boolean, call: string): boolean {
  const entries = audit.ofCall(call);
  if (entries.length === 0) return lossy;
  return entries.some(({ kind }) => kind === "intent") && !entries.some(({ kind }) => kind === "expiry");
}
