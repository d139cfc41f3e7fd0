/** Which calls that wait for a person get a second opinion, and whose: those of the tiers that could do harm. */

import type { Approval } from "../../contracts/permission.ts";
import { Risk } from "../../contracts/tool.ts";

/** As many are told at a time. */
const pending_max = 10;

/** @returns the oldest first: a person may come to it at any time */
export function pendingReviews(waiting: readonly Approval[]): Approval[] {
  return waiting
    .filter((approval) => approval.state === "waiting" && approval.review === null && isReviewed(approval))
    .sort((a, b) => a.asked_ms - b.asked_ms)
    .slice(0, pending_max);
}

/** Above reversible, or resting on text from outside; people look at what they asked for themselves. */
export function isReviewed({ principal, risk, tainted }: Pick<Approval, "principal" | "risk" | "tainted">): boolean {
  const rank = (of: Risk): number => Risk.options.indexOf(of);
  return principal.startsWith("tier:") && (rank(risk) > rank("reversible") || tainted.length > 0);
}
