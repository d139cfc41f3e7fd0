/** Which calls that wait for a person get a second opinion, and whose: those of the tiers that could do harm. */

import { type Approval, isUnasked } from "../../contracts/permission.ts";
import { Risk } from "../../contracts/tool.ts";

/** As many are told at a time. */
const pending_max = 10;

/** @returns those that nobody has looked into, and the oldest, first: a person may come to it at any time */
export function pendingReviews(waiting: readonly Approval[]): Approval[] {
  return waiting
    .filter((approval) => approval.state === "waiting" && mayBeReviewed(approval) && isReviewed(approval))
    .sort((a, b) => Number(a.review !== null) - Number(b.review !== null) || a.asked_ms - b.asked_ms)
    .slice(0, pending_max);
}

/** One opinion each; that no model could be asked is none yet. */
export function mayBeReviewed({ review }: Pick<Approval, "review">): boolean {
  return review === null || isUnasked(review);
}

/** Above reversible, or resting on text from outside; people look at what they asked for themselves. */
export function isReviewed({ principal, risk, tainted }: Pick<Approval, "principal" | "risk" | "tainted">): boolean {
  const rank = (of: Risk): number => Risk.options.indexOf(of);
  return principal.startsWith("tier:") && (rank(risk) > rank("reversible") || tainted.length > 0);
}
