/**
 * What people said against calls of decisions, read from the audit: a call that was taken back, that waited and was declined or
 * withdrawn, or that was made anew after it had been taken back. Only a person's word counts, and only about the call that the
 * decision's own tier made for it; what is made anew is the same call as the one that it makes anew, however often.
 */

import type { AuditEntry } from "../contracts/audit.ts";
import { DecisionId, type Overridden } from "../contracts/decision.ts";
import type { PersonSaid } from "../contracts/memory/learning.ts";

type OfCall = (call: string) => readonly AuditEntry[];

interface First {
  readonly call: string;
  readonly tool: string;
  readonly decision: string;
}

/** Calls made anew of one another that are followed; nobody changes his mind as often. */
const steps_max = 1000;

/** @param outcome how a call ended @returns what that says about a decision, or null */
export function saidIn(outcome: AuditEntry, ofCall: OfCall): PersonSaid | null {
  const { call, status, principal, reason } = outcome;
  if (call === null) return null;
  if (status === "declined") return declined(call, ofCall);
  if (status !== "done") return null;
  const [undoes, redoes] = [namedIn(outcome, "undoes", ofCall), namedIn(outcome, "redoes", ofCall)];
  if (undoes !== null) {
    const first = firstOf(undoes, ofCall);
    return first === null ? null : override(first, "undone", { by: principal, why: reason?.text ?? "", time_ms: outcome.time_ms });
  }
  // what a person wanted back stays so, whatever a tier or an agent does then; the broker brings back what was not confirmed
  if (redoes === null || !(principal.startsWith("person:") || principal === "system")) return null;
  const first = firstOf(call, ofCall);
  return first === null ? null : { say: "anew", call: first.call };
}

function declined(call: string, ofCall: OfCall): PersonSaid | null {
  const answer = ofCall(call).findLast(
    ({ kind, body }) => kind === "approval" && (body["state"] === "declined" || body["state"] === "withdrawn"),
  );
  const first = firstOf(call, ofCall);
  if (answer === undefined || first === null) return null;
  const { by, why } = answer.body;
  return override(first, "declined", { by: String(by), why: String(why ?? ""), time_ms: answer.time_ms });
}

/** Of a person alone: the broker takes back what nobody confirmed, tiers what did not help. */
function override(
  first: First,
  how: Overridden["how"],
  { by, why, time_ms }: Pick<Overridden, "by" | "why" | "time_ms">,
): PersonSaid | null {
  return by.startsWith("person:") ? { say: "override", ...first, how, by, why: why.slice(0, 2000), time_ms } : null;
}

/** The call that is made anew by this one, or else itself; null: no tier made it for a decision of its own. */
function firstOf(call: string, ofCall: OfCall): First | null {
  let first = call;
  for (let steps = 0; steps < steps_max; steps += 1) {
    const undo = namedIn(ofCall(first).at(-1), "redoes", ofCall);
    const anew = undo === null ? null : namedIn(ofCall(undo).at(-1), "undoes", ofCall);
    if (anew === null) break;
    first = anew;
  }
  const entry = ofCall(first)[0];
  const decision = DecisionId.safeParse(entry?.reason?.decision).data;
  if (entry?.tool == null || decision === undefined || tierOf(entry.principal) !== decision.split("-")[2]) return null;
  return { call: first, tool: entry.tool, decision };
}

/** Another call that this one names, in its outcome or before it. */
function namedIn(entry: AuditEntry | undefined, what: "undoes" | "redoes", ofCall: OfCall): string | null {
  if (entry?.call == null) return null;
  const named = [entry, ...ofCall(entry.call)].map(({ body }) => body[what]).find((value) => typeof value === "string");
  return typeof named === "string" ? named : null;
}

function tierOf(principal: string): string | null {
  return principal.startsWith("tier:") ? principal.slice("tier:".length) : null;
}
