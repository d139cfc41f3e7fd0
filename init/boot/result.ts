import type { PhaseResult } from "./phase.ts";

export function done(detail: string): PhaseResult {
  return { outcome: "done", detail };
}

/** @param what is missing, for people. @param todo what they can do about it */
export function degraded(what: string, detail: string, todo: string): PhaseResult {
  return { outcome: "degraded", detail, degradation: { what, detail, todo } };
}
